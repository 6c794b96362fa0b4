// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IWorkerpool} from "../interfaces/IWorkerpool.sol";
import {IWorkerpoolRegistry} from "../interfaces/IWorkerpoolRegistry.sol";
import {Entry} from "./Entry.sol";
import {Fields} from "./Fields.sol";

/// @title Workerpool
/// @notice The code behind every workerpool: the description lies in the code of the clone, the policy in the registry.
contract Workerpool is Entry, IWorkerpool {
    uint256 private constant MAX_REWARD_RATIO = 100;

    /// @inheritdoc IWorkerpool
    function changePolicy(uint256 newWorkerStakeRatioPolicy, uint256 newSchedulerRewardRatioPolicy) external onlyOwner {
        require(
            newSchedulerRewardRatioPolicy <= MAX_REWARD_RATIO,
            RewardRatioTooHigh(newSchedulerRewardRatioPolicy, MAX_REWARD_RATIO)
        );
        (uint256 oldStakeRatio, uint256 oldRewardRatio) = _policy();
        IWorkerpoolRegistry(registry).setPolicy(newWorkerStakeRatioPolicy, newSchedulerRewardRatioPolicy);
        emit PolicyUpdate(oldStakeRatio, newWorkerStakeRatioPolicy, oldRewardRatio, newSchedulerRewardRatioPolicy);
    }

    /// @inheritdoc IWorkerpool
    function m_workerpoolDescription() external view returns (string memory) {
        return string(Fields.textOf(address(this)));
    }

    /// @inheritdoc IWorkerpool
    function m_workerStakeRatioPolicy() external view returns (uint256 stakeRatio) {
        (stakeRatio, ) = _policy();
    }

    /// @inheritdoc IWorkerpool
    function m_schedulerRewardRatioPolicy() external view returns (uint256 rewardRatio) {
        (, rewardRatio) = _policy();
    }

    function _policy() private view returns (uint256 stakeRatio, uint256 rewardRatio) {
        (, stakeRatio, rewardRatio) = IWorkerpoolRegistry(registry).termsOf(address(this));
    }
}
