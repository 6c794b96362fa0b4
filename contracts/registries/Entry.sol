// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IEntry} from "../interfaces/IEntry.sol";

/// @title Entry
/// @notice What every clone shares: it knows its registry, and the registry knows its owner.
abstract contract Entry is IEntry {
    /// @inheritdoc IEntry
    address public immutable registry;

    /// @dev The registry deploys the master that its clones delegate to.
    constructor() {
        registry = msg.sender;
    }

    modifier onlyOwner() {
        address currentOwner = owner();
        require(msg.sender == currentOwner, CallerIsNotTheOwner(msg.sender, currentOwner));
        _;
    }

    /// @inheritdoc IEntry
    function setName(address, string calldata) external view onlyOwner {
        revert OperationNotSupported();
    }

    /// @inheritdoc IEntry
    function owner() public view returns (address) {
        return IERC721(registry).ownerOf(uint256(uint160(address(this))));
    }
}
