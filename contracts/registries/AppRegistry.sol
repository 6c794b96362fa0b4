// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IAppRegistry} from "../interfaces/IAppRegistry.sol";
import {App} from "./App.sol";
import {Fields} from "./Fields.sol";
import {Registry} from "./Registry.sol";

/// @title AppRegistry
contract AppRegistry is Registry, IAppRegistry {
    constructor(address owner_) ERC721("Sealdeal Apps", "SEALAPP") Ownable(owner_) Registry(address(new App())) {}

    /// @inheritdoc IAppRegistry
    function createApp(
        address owner,
        string calldata name,
        string calldata appType,
        bytes calldata multiaddr,
        bytes32 checksum,
        bytes calldata mrEnclave
    ) external returns (address) {
        return _create(owner, Fields.pack(checksum, bytes(name), bytes(appType), multiaddr, mrEnclave));
    }

    /// @inheritdoc IAppRegistry
    function predictApp(
        address owner,
        string calldata name,
        string calldata appType,
        bytes calldata multiaddr,
        bytes32 checksum,
        bytes calldata mrEnclave
    ) external view returns (address) {
        return _predict(owner, Fields.pack(checksum, bytes(name), bytes(appType), multiaddr, mrEnclave));
    }
}
