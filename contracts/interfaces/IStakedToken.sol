// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title StakedToken: what is deposited, as an ERC-20 token
/// @notice Balances are the free ones; the Hub's own is what is locked and what is in the kitty. The getters of ERC-20 are
/// among the views.
interface IStakedToken {
    /// @notice Thrown when the spender of `approveAndCall` did not answer true.
    error ApprovalRefused(address spender);

    function transfer(address to, uint256 amount) external returns (bool);

    function transferFrom(address from, address to, uint256 amount) external returns (bool);

    function approve(address spender, uint256 amount) external returns (bool);

    /// @notice Approves `spender` and calls its `receiveApproval` in one transaction.
    function approveAndCall(address spender, uint256 value, bytes calldata data) external returns (bool);

    function increaseAllowance(address spender, uint256 added) external returns (bool);

    function decreaseAllowance(address spender, uint256 removed) external returns (bool);
}
