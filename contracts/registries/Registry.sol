// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {IEntry} from "../interfaces/IEntry.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {CompactERC721Enumerable} from "./CompactERC721Enumerable.sol";

/// @title Registry
/// @notice Makes clones whose fields lie in their code, and keeps who owns them.
abstract contract Registry is CompactERC721Enumerable, Ownable, IRegistry {
    /// @dev The minimal proxy of ERC-1167, around the address that it delegates to.
    bytes10 private constant PROXY_HEAD = hex"363d3d373d3d3d363d73";
    bytes15 private constant PROXY_TAIL = hex"5af43d82803e903d91602b57fd5bf3";
    uint256 private constant PROXY_LENGTH = 45;

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
    function registrantOf(address entry) public view returns (address owner) {
        owner = _ownerOf(_id(entry));
        if (owner == address(0) && _isRegisteredBefore(entry)) owner = IEntry(entry).owner();
    }

    /// @inheritdoc IRegistry
    function isRegistered(address entry) external view returns (bool) {
        return _ownerOf(_id(entry)) != address(0) || _isRegisteredBefore(entry);
    }

    /// @inheritdoc IRegistry
    function proxyCode() public view returns (bytes memory) {
        return abi.encodePacked(PROXY_HEAD, master, PROXY_TAIL);
    }

    function _create(address owner, bytes memory fields) internal returns (address entry) {
        bytes memory creationCode = _creationCode(fields);
        bytes32 salt = _salt(owner);
        entry = Create2.computeAddress(salt, keccak256(creationCode));
        // A collision of addresses would burn all gas, so it is refused before.
        require(_ownerOf(_id(entry)) == address(0), AlreadyCreated(entry));
        Create2.deploy(0, salt, creationCode);
        _mint(owner, _id(entry));
    }

    function _predict(address owner, bytes memory fields) internal view returns (address) {
        return Create2.computeAddress(_salt(owner), keccak256(_creationCode(fields)));
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

    /// @dev The clone with immutable arguments of OpenZeppelin's Clones, encoded once for address and creation.
    function _creationCode(bytes memory fields) private view returns (bytes memory) {
        // Fields.pack has checked that the length fits into its 16 bits.
        uint16 length = uint16(PROXY_LENGTH + fields.length);
        return abi.encodePacked(hex"61", length, hex"3d81600a3d39f3", PROXY_HEAD, master, PROXY_TAIL, fields);
    }

    function _salt(address owner) private pure returns (bytes32) {
        return bytes32(uint256(uint160(owner)));
    }
}
