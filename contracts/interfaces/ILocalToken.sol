// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title ILocalToken
/// @notice What the local token offers beyond ERC-20, ERC-2612 and burning.
interface ILocalToken {
    /// @notice Thrown when `spender` answers an approval with anything but true.
    error ApprovalRefused(address spender);

    /// @notice How much was minted, once and for all, when the token was made.
    function initialSupply() external view returns (uint256);

    /// @notice Approves `spender` for `value` and calls its `receiveApproval` with `data`, in one transaction. If the call
    /// fails, its error comes through and the approval is undone.
    /// @dev Warning: the spender may keep what is left of the approval.
    function approveAndCall(address spender, uint256 value, bytes calldata data) external returns (bool);
}
