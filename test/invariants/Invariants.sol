// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IHandler} from "./IHandler.sol";
import {vm} from "./Vm.sol";

/// @title Invariants
/// @notice What holds in a Hub whatever anybody does. The errors of Rules and of the chapters say what did not.
abstract contract Invariants {
    /// @dev As runners of Solidity tests read it.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    IHandler internal _handler;

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function excludeSelectors() public view returns (FuzzSelector[] memory excluded) {
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(_handler), _handler.untouchables());
    }

    function invariant_everyRuleHoldsAfterEveryCall() public view {
        _handler.checkMoney();
        _handler.checkHistory();
    }

    /// @notice Every run ends well: whatever is locked can be released, and everybody can leave.
    function afterInvariant() public {
        _handler.finish();
    }

    function _makeHandler(string memory hubName, bool isNative) internal returns (IHandler) {
        bytes memory code = abi.encodePacked(vm.getCode("Handler.sol:Handler"), abi.encode(hubName, isNative));
        address made;
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
        }
        return IHandler(made);
    }
}
