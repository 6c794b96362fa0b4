// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title StakedToken: what is deposited, as an ERC-20 token
/// @notice Balances are the free ones; the Hub's own is what is locked and what is in the kitty.
interface IStakedToken is IERC20, IERC20Errors {
    /// @notice Thrown when the spender of `approveAndCall` did not answer true.
    error ApprovalRefused(address spender);

    /// @notice Approves `spender` and calls its `receiveApproval` in one transaction.
    function approveAndCall(address spender, uint256 value, bytes calldata data) external returns (bool);

    function increaseAllowance(address spender, uint256 added) external returns (bool);

    function decreaseAllowance(address spender, uint256 removed) external returns (bool);
}
