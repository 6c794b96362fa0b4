// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDataProtector} from "../interfaces/IDataProtector.sol";
import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";

/// @title DataProtector
/// @notice A dataset and its schema in one call.
contract DataProtector is IDataProtector {
    /// @inheritdoc IDataProtector
    IDatasetRegistry public immutable registry;

    constructor(IDatasetRegistry datasetRegistry) {
        registry = datasetRegistry;
    }

    /// @inheritdoc IDataProtector
    function createDatasetWithSchema(
        address owner,
        string calldata name,
        string calldata schema,
        bytes calldata multiaddr,
        bytes32 checksum
    ) external returns (address dataset) {
        dataset = registry.createDataset(owner, name, multiaddr, checksum);
        emit DatasetSchema(dataset, schema);
    }
}
