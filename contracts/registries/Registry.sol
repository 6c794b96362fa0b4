// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IEntry} from "../interfaces/IEntry.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {CompactERC721Enumerable} from "./CompactERC721Enumerable.sol";

/// @title Registry
/// @notice Makes clones whose fields lie in their code, and keeps who owns them.
abstract contract Registry is CompactERC721Enumerable, Ownable, IRegistry {
    /// @inheritdoc IRegistry
    address public immutable master;

    /// @inheritdoc IRegistry
    address public previous;

    /// @inheritdoc IRegistry
    bool public initialized;

    /// @inheritdoc IRegistry
    string public baseURI;

    constructor(address entryMaster) {
        master = entryMaster;
    }

    /// @inheritdoc IRegistry
    function initialize(address previousRegistry) external onlyOwner {
        require(!initialized, AlreadyInitialized(previous));
        initialized = true;
        previous = previousRegistry;
    }

    /// @inheritdoc IRegistry
    function setBaseURI(string calldata uri) external onlyOwner {
        baseURI = uri;
    }

    /// @inheritdoc IRegistry
    function setName(address, string calldata) external view onlyOwner {
        revert OperationNotSupported();
    }

    /// @inheritdoc IRegistry
    function proxyCodeHash() external view returns (bytes32) {
        return keccak256(proxyCode());
    }

    /// @inheritdoc IRegistry
    function lookup(
        address entry
    ) external view returns (address owner, uint256 workerStakeRatio, uint256 schedulerRewardRatio) {
        owner = _ownerOf(_id(entry));
        if (owner != address(0)) {
            (workerStakeRatio, schedulerRewardRatio) = _policyOf(entry);
        } else if (_isRegisteredBefore(entry)) {
            owner = IEntry(entry).owner();
            (workerStakeRatio, schedulerRewardRatio) = _policyBefore(entry);
        }
    }

    /// @inheritdoc IRegistry
    function isRegistered(address entry) external view returns (bool) {
        return _ownerOf(_id(entry)) != address(0) || _isRegisteredBefore(entry);
    }

    /// @inheritdoc IRegistry
    function proxyCode() public view returns (bytes memory) {
        return abi.encodePacked(hex"363d3d373d3d3d363d73", master, hex"5af43d82803e903d91602b57fd5bf3");
    }

    function _create(address owner, bytes memory fields) internal returns (address entry) {
        entry = _predict(owner, fields);
        // A collision of addresses would burn all gas, so it is refused before.
        require(_ownerOf(_id(entry)) == address(0), AlreadyCreated(entry));
        Clones.cloneDeterministicWithImmutableArgs(master, fields, _salt(owner));
        _mint(owner, _id(entry));
    }

    function _predict(address owner, bytes memory fields) internal view returns (address) {
        return Clones.predictDeterministicAddressWithImmutableArgs(master, fields, _salt(owner));
    }

    /// @dev The policy of an entry of this registry. Only workerpools have one.
    function _policyOf(address) internal view virtual returns (uint256, uint256) {
        return (0, 0);
    }

    /// @dev The policy of an entry of a previous registry.
    function _policyBefore(address) internal view virtual returns (uint256, uint256) {
        return (0, 0);
    }

    function _baseURI() internal view override returns (string memory) {
        return baseURI;
    }

    function _id(address entry) internal pure returns (uint256) {
        return uint256(uint160(entry));
    }

    function _isRegisteredBefore(address entry) private view returns (bool) {
        return previous != address(0) && IRegistry(previous).isRegistered(entry);
    }

    function _salt(address owner) private pure returns (bytes32) {
        return bytes32(uint256(uint160(owner)));
    }
}
