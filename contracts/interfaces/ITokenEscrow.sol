// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IEscrow} from "./IEscrow.sol";
import {ITokenSpender} from "./ITokenSpender.sol";

/// @title TokenEscrow: the edge of the escrow over an ERC-20 token
/// @dev Warning: a token must move all that it is told to and change no balance by itself. What a deposit asked for is
/// credited, not what came: a token that keeps a part of each transfer leaves the last who withdraws unpaid.
interface ITokenEscrow is IEscrow, ITokenSpender {
    /// @notice Thrown when the token did not move `amount` from `from` to `to`, or said that it did not.
    error TokenTransferFailed(address from, address to, uint256 amount);

    /// @notice Thrown when a call that only the token may make comes from elsewhere.
    error OnlyToken(address caller, address token);

    /// @notice Thrown when native currency is sent to a Hub that holds a token.
    error NativeNotAccepted(uint256 amount);

    /// @notice Thrown by deposit-and-match when the data is not a call of `matchOrders`.
    error UnsupportedOperation(bytes4 selector);

    /// @notice Thrown by deposit-and-match when the requester of the orders is not the depositor.
    error CallerIsNotTheRequester();

    /// @notice Thrown by deposit-and-match when the match failed without a reason.
    error OperationFailed();

    /// @notice Moves `amount` of the token from the caller into the escrow. Needs an allowance of the token.
    function deposit(uint256 amount) external returns (bool);

    /// @notice Same, to the credit of `target`.
    function depositFor(uint256 amount, address target) external returns (bool);

    /// @notice Same, for several targets.
    function depositForArray(uint256[] calldata amounts, address[] calldata targets) external returns (bool);

    /// @notice `deposit` without an earlier approval: the caller's ERC-2612 permit of `amount` to the Hub comes along.
    /// @dev A permit that cannot be used (again) is passed over; the transfer then needs the allowance to be there.
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external returns (bool);
}
