// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title ITokenSpender
/// @notice What `approveAndCall` of a token calls.
interface ITokenSpender {
    /// @notice Called by `token` after `sender` approved `value` for this contract.
    /// @return Whether the approval is accepted; anything but true undoes it.
    function receiveApproval(address sender, uint256 value, address token, bytes calldata data) external returns (bool);
}
