// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title IGroup
/// @notice The group of the mocks.
interface IGroup {
    function add(address member, uint256 purpose) external;
}
