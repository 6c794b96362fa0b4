// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ITokenSpender} from "./ITokenSpender.sol";

/// @title Escrow: what accounts own, lock, lose and earn
/// @notice A deposited token is a staked token, one to one: an ERC-20 whose balances are the free ones. Locked amounts
/// belong to the Hub's own balance and are counted by `frozenOf`. Amounts are in the token's smallest unit.
interface IEscrow is IERC20, IERC20Errors, ITokenSpender {
    /// @notice Thrown when the token did not move `amount` from `from` to `to`, or said that it did not.
    error TokenTransferFailed(address from, address to, uint256 amount);

    /// @notice Thrown when the staked supply would no longer fit 96 bits.
    error SupplyTooLarge(uint256 supply, uint256 limit);

    /// @notice Thrown when two arrays that belong together have different lengths.
    error LengthMismatch(uint256 first, uint256 second);

    /// @notice Thrown when a call that only the token may make comes from elsewhere.
    error OnlyToken(address caller, address token);

    /// @notice Thrown when the spender of `approveAndCall` did not answer true.
    error ApprovalRefused(address spender);

    /// @notice Thrown when native currency is sent to a Hub that holds a token.
    error NativeNotAccepted(uint256 amount);

    /// @notice Thrown by deposit-and-match when the data is not a call of `matchOrders`.
    error UnsupportedOperation(bytes4 selector);

    /// @notice Thrown by deposit-and-match when the requester of the orders is not the depositor.
    error CallerIsNotTheRequester();

    /// @notice Thrown by deposit-and-match when the match failed without a reason.
    error OperationFailed();

    /// @notice `amount` of `owner` moved from its balance into the Hub's custody.
    event Lock(address owner, uint256 amount);

    /// @notice `amount` moved back from custody to `owner`.
    event Unlock(address owner, uint256 amount);

    /// @notice `owner` lost a locked `amount` for the task `ref`.
    event Seize(address owner, uint256 amount, bytes32 ref);

    /// @notice `owner` earned `amount` for the task `ref`.
    event Reward(address owner, uint256 amount, bytes32 ref);

    /// @notice Moves `amount` of the token from the caller into the escrow. Needs an allowance of the token.
    function deposit(uint256 amount) external returns (bool);

    /// @notice Same, to the credit of `target`.
    function depositFor(uint256 amount, address target) external returns (bool);

    /// @notice Same, for several targets.
    function depositForArray(uint256[] calldata amounts, address[] calldata targets) external returns (bool);

    /// @notice Moves `amount` of the caller's free balance out of the escrow.
    function withdraw(uint256 amount) external returns (bool);

    /// @notice Same, paid to `target`.
    function withdrawTo(uint256 amount, address target) external returns (bool);

    /// @notice Credits the owner of the Hub with tokens that were sent to it by mistake.
    /// @return surplus What was found above the staked supply.
    function recover() external returns (uint256 surplus);

    /// @notice Approves `spender` and calls its `receiveApproval` in one transaction.
    function approveAndCall(address spender, uint256 value, bytes calldata data) external returns (bool);

    function increaseAllowance(address spender, uint256 added) external returns (bool);

    function decreaseAllowance(address spender, uint256 removed) external returns (bool);
}
