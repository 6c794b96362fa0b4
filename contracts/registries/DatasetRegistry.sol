// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {Dataset} from "./Dataset.sol";
import {Fields} from "./Fields.sol";
import {Registry} from "./Registry.sol";

/// @title DatasetRegistry
contract DatasetRegistry is Registry, IDatasetRegistry {
    constructor(
        address owner_
    ) ERC721("Sealdeal Datasets", "SEALDATA") Ownable(owner_) Registry(address(new Dataset())) {}

    /// @inheritdoc IDatasetRegistry
    function createDataset(
        address owner,
        string calldata name,
        bytes calldata multiaddr,
        bytes32 checksum
    ) external returns (address) {
        return _create(owner, Fields.pack(checksum, bytes(name), multiaddr));
    }

    /// @inheritdoc IDatasetRegistry
    function predictDataset(
        address owner,
        string calldata name,
        bytes calldata multiaddr,
        bytes32 checksum
    ) external view returns (address) {
        return _predict(owner, Fields.pack(checksum, bytes(name), multiaddr));
    }
}
