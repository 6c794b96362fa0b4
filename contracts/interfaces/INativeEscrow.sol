// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IEscrow} from "./IEscrow.sol";

/// @title NativeEscrow: the edge of the escrow over the chain's own currency
/// @notice One unit of the staked token is 10^9 wei. A plain transfer to the Hub, or one with a call that nobody knows, is
/// a deposit.
interface INativeEscrow is IEscrow {
    /// @notice Thrown when `target` did not take `value` wei.
    error NativeTransferFailed(address target, uint256 value);

    /// @notice Thrown when the amounts of `depositForArray` are more than what came along: `left` at this one.
    error ValueTooSmall(uint256 amount, uint256 left);

    /// @notice Thrown when `value` wei come along with a call that takes nothing.
    error ValueNotTaken(bytes4 selector, uint256 value);

    /// @notice Credits the caller with what came along; what is less than a unit goes back.
    /// @dev In a multicall the value was credited before the first call.
    function deposit() external payable returns (bool);

    /// @notice Same, to the credit of `target`.
    function depositFor(address target) external payable returns (bool);

    /// @notice Credits several targets out of what came along; the rest goes back.
    function depositForArray(uint256[] calldata amounts, address[] calldata targets) external payable returns (bool);
}
