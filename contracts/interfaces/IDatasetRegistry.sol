// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IRegistry} from "./IRegistry.sol";

/// @title IDatasetRegistry
interface IDatasetRegistry is IRegistry {
    /// @notice Makes a dataset and gives it to `owner`. Anyone may, for anyone.
    /// @return The address of the dataset, which is also its token id.
    function createDataset(
        address owner,
        string calldata name,
        bytes calldata multiaddr,
        bytes32 checksum
    ) external returns (address);

    /// @notice The address that `createDataset` gives, or gave, for the same arguments.
    function predictDataset(
        address owner,
        string calldata name,
        bytes calldata multiaddr,
        bytes32 checksum
    ) external view returns (address);
}
