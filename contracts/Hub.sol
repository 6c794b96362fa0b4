// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HubCore} from "./hub/HubCore.sol";
import {HubStorage} from "./hub/HubStorage.sol";
import {TokenEscrow} from "./hub/TokenEscrow.sol";
import {IAdmin} from "./interfaces/IAdmin.sol";
import {IMulticall} from "./interfaces/IMulticall.sol";
import {Category} from "./types/Deals.sol";

/// @title Hub: the one address of the protocol
/// @notice Immutable: a new version is a new address. What is called often it answers itself, the rest by HubOffice.
contract Hub is HubCore, TokenEscrow {
    /// @param categories The first categories, numbered from zero.
    constructor(
        IAdmin.Config memory config,
        Category[] memory categories,
        address office
    ) HubStorage(config) HubCore(config, categories, office) {}

    /// @inheritdoc IMulticall
    function multicall(bytes[] calldata calls) external payable returns (bytes[] memory answers) {
        require(msg.value == 0, NativeNotAccepted(msg.value));
        return _multicall(calls);
    }

    receive() external payable {
        revert NativeNotAccepted(msg.value);
    }

    fallback() external payable {
        require(msg.value == 0, NativeNotAccepted(msg.value));
        _delegateTo(OFFICE);
    }
}
