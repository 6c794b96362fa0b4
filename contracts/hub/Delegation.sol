// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title Delegation: how one contract lets another answer in its place
abstract contract Delegation {
    /// @dev Ends the call with what the code of `delegate` makes of it.
    function _delegateTo(address delegate) internal {
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, 0, calldatasize())
            let success := delegatecall(gas(), delegate, free, calldatasize(), 0, 0)
            returndatacopy(free, 0, returndatasize())
            if iszero(success) {
                revert(free, returndatasize())
            }
            return(free, returndatasize())
        }
    }
}
