// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IDatasetRegistry} from "./IDatasetRegistry.sol";

/// @title IDataProtector
interface IDataProtector {
    /// @notice Emitted for every dataset created here. `schema` is JSON: the tree of the data with type names as leaves.
    event DatasetSchema(address indexed dataset, string schema);

    /// @notice Where the datasets are created.
    function registry() external view returns (IDatasetRegistry);

    /// @notice Creates a dataset for `owner` and announces the schema of its data.
    /// @dev Warning: the schema is claimed, not checked: the data is encrypted, and anyone may create a dataset for anyone.
    /// @return dataset Its address, which is also its token id in the registry.
    function createDatasetWithSchema(
        address owner,
        string calldata name,
        string calldata schema,
        bytes calldata multiaddr,
        bytes32 checksum
    ) external returns (address dataset);
}
