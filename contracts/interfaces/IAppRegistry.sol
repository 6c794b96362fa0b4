// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IRegistry} from "./IRegistry.sol";

/// @title IAppRegistry
interface IAppRegistry is IRegistry {
    /// @notice Makes an app and gives it to `owner`. Anyone may, for anyone.
    /// @return The address of the app, which is also its token id.
    function createApp(
        address owner,
        string calldata name,
        string calldata appType,
        bytes calldata multiaddr,
        bytes32 checksum,
        bytes calldata mrEnclave
    ) external returns (address);

    /// @notice The address that `createApp` gives, or gave, for the same arguments.
    function predictApp(
        address owner,
        string calldata name,
        string calldata appType,
        bytes calldata multiaddr,
        bytes32 checksum,
        bytes calldata mrEnclave
    ) external view returns (address);
}
