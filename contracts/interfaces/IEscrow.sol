// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title Escrow: what accounts own, lock, lose and earn
/// @notice What is deposited is a staked token, one to one (see IStakedToken). Locked amounts belong to the Hub's own
/// balance and are counted by `frozenOf`. Amounts are in the smallest unit of the staked token (nRLC).
interface IEscrow {
    /// @notice Thrown when the staked supply would no longer fit 96 bits.
    error SupplyTooLarge(uint256 supply, uint256 limit);

    /// @notice Thrown when two arrays that belong together have different lengths.
    error LengthMismatch(uint256 first, uint256 second);

    /// @notice `amount` of `owner` moved from its balance into the Hub's custody.
    event Lock(address owner, uint256 amount);

    /// @notice `amount` moved back from custody to `owner`.
    event Unlock(address owner, uint256 amount);

    /// @notice `owner` lost a locked `amount` for the task `ref`.
    event Seize(address owner, uint256 amount, bytes32 ref);

    /// @notice `owner` earned `amount` for the task `ref`.
    event Reward(address owner, uint256 amount, bytes32 ref);

    /// @notice Moves `amount` of the caller's free balance out of the escrow.
    function withdraw(uint256 amount) external returns (bool);

    /// @notice Same, paid to `target`, which must not be the Hub.
    function withdrawTo(uint256 amount, address target) external returns (bool);

    /// @notice Credits the owner of the Hub with what was sent to it by mistake.
    /// @return surplus What was found above the staked supply.
    function recover() external returns (uint256 surplus);
}
