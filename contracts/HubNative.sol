// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HubCore} from "./hub/HubCore.sol";
import {HubStorage} from "./hub/HubStorage.sol";
import {NativeEscrow} from "./hub/NativeEscrow.sol";
import {IAdmin} from "./interfaces/IAdmin.sol";
import {IMulticall} from "./interfaces/IMulticall.sol";
import {IViews} from "./interfaces/IViews.sol";
import {Category} from "./types/Deals.sol";

/// @title HubNative: the one address of the protocol where the escrow holds the chain's own currency
/// @notice All but the edge of the escrow is that of Hub.
contract HubNative is HubCore, NativeEscrow {
    /// @param categories The first categories, numbered from zero.
    constructor(
        IAdmin.Config memory config,
        Category[] memory categories,
        address office
    ) HubStorage(config) HubCore(config, categories, office) {}

    /// @inheritdoc IMulticall
    function multicall(bytes[] calldata calls) external payable returns (bytes[] memory answers) {
        if (msg.value > 0) _deposit(_sender());
        return _multicall(calls);
    }

    receive() external payable {
        _deposit(msg.sender);
    }

    fallback() external payable {
        if (msg.value == 0) _delegateTo(OFFICE);
        // Nothing of what HubOffice and HubViews know takes anything along; what they do not know is a deposit.
        (bool success, bytes memory answer) = OFFICE.delegatecall(msg.data);
        bool unknown = !success && bytes4(answer) == IViews.UnknownFunction.selector;
        require(unknown, ValueNotTaken(msg.sig, msg.value));
        _deposit(msg.sender);
    }
}
