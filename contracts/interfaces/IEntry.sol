// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title IEntry
/// @notice What an app, a dataset and a workerpool have in common.
interface IEntry {
    /// @notice Thrown when `caller` tries what only the current `owner` of the entry may do.
    error CallerIsNotTheOwner(address caller, address owner);

    /// @notice Thrown by calls that exist for old clients only.
    error OperationNotSupported();

    /// @notice The registry that made this entry and knows its owner.
    function registry() external view returns (address);

    /// @notice The current owner: the holder of the registry's token whose id is this address.
    function owner() external view returns (address);

    /// @notice Always reverts: names are not kept on chain. Here because old clients carry it in their ABI.
    function setName(address ens, string calldata name) external view;
}
