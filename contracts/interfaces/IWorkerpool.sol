// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IEntry} from "./IEntry.sol";

/// @title IWorkerpool
/// @notice A group of workers under one scheduler, the pool's owner.
interface IWorkerpool is IEntry {
    /// @notice Emitted when the owner changes the terms for workers. Deals made before keep the old ones.
    event PolicyUpdate(
        uint256 oldWorkerStakeRatioPolicy,
        uint256 newWorkerStakeRatioPolicy,
        uint256 oldSchedulerRewardRatioPolicy,
        uint256 newSchedulerRewardRatioPolicy
    );

    /// @notice Thrown when the scheduler would keep more than everything.
    error RewardRatioTooHigh(uint256 ratio, uint256 limit);

    /// @notice A description for people.
    function m_workerpoolDescription() external view returns (string memory);

    /// @notice What a worker stakes on a contribution, in percent of the pool's price. A new pool asks for 30.
    function m_workerStakeRatioPolicy() external view returns (uint256);

    /// @notice What the scheduler keeps of the workers' reward, in percent. A new pool keeps 1.
    function m_schedulerRewardRatioPolicy() external view returns (uint256);

    /// @notice Sets both ratios, in percent, for deals to come. Only the owner may.
    /// @dev Warning: the stake ratio has no upper bound; workers must look at it before they contribute.
    function changePolicy(uint256 newWorkerStakeRatioPolicy, uint256 newSchedulerRewardRatioPolicy) external;
}
