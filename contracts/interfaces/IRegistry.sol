// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC721Enumerable} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Enumerable.sol";

/// @title IRegistry
/// @notice Makes entries (apps, datasets or workerpools) at addresses that follow from their fields and first owner.
/// Owning the token whose id is an entry's address means owning the entry. The registries need nothing from the Hub.
interface IRegistry is IERC721Enumerable {
    /// @notice Thrown when the same owner creates an entry with the same fields again.
    error AlreadyCreated(address entry);

    /// @notice Thrown when the previous registry was already set.
    error AlreadyInitialized(address previous);

    /// @notice Thrown by calls that exist for old clients only.
    error OperationNotSupported();

    /// @notice Owner of a registered entry, or zero when `entry` is registered neither here nor in a previous registry.
    /// @dev One call tells registration and owner: the Hub makes it for every order of a match.
    function registrantOf(address entry) external view returns (address owner);

    /// @notice Whether `entry` was made here or in a previous registry.
    function isRegistered(address entry) external view returns (bool);

    /// @notice The registry whose entries count as well; zero if there is none.
    function previous() external view returns (address);

    /// @notice Whether `initialize` was called.
    function initialized() external view returns (bool);

    /// @notice Names the previous registry, once and for ever. Only the owner may.
    function initialize(address previousRegistry) external;

    /// @notice The code that every entry delegates to.
    function master() external view returns (address);

    /// @notice The code with which every entry begins; its fields follow.
    function proxyCode() external view returns (bytes memory);

    /// @notice The hash of `proxyCode`.
    function proxyCodeHash() external view returns (bytes32);

    /// @notice What stands before the token id in `tokenURI`.
    function baseURI() external view returns (string memory);

    /// @notice Sets `baseURI`. Only the owner may.
    function setBaseURI(string calldata uri) external;

    /// @notice Always reverts: names are not kept on chain. Here because old clients carry it in their ABI.
    function setName(address ens, string calldata name) external view;
}
