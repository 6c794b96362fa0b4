// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IRegistry} from "./IRegistry.sol";

/// @title IWorkerpoolRegistry
interface IWorkerpoolRegistry is IRegistry {
    /// @notice Thrown when anyone but a workerpool of this registry tries to set a policy.
    error CallerIsNotAWorkerpool(address caller);

    /// @notice Makes a workerpool and gives it to `owner`. Anyone may, for anyone.
    /// @return The address of the workerpool, which is also its token id.
    function createWorkerpool(address owner, string calldata description) external returns (address);

    /// @notice The address that `createWorkerpool` gives, or gave, for the same arguments.
    function predictWorkerpool(address owner, string calldata description) external view returns (address);

    /// @notice Owner and policy of a registered workerpool in one answer; all zero when it is not registered.
    /// @return owner Its current owner.
    /// @return workerStakeRatio Percentage of the workerpool price that a worker of a replicated task stakes.
    /// @return schedulerRewardRatio Percentage of the workerpool price that the pool's owner keeps; at most 100.
    function termsOf(
        address workerpool
    ) external view returns (address owner, uint256 workerStakeRatio, uint256 schedulerRewardRatio);

    /// @notice Keeps the policy of the calling workerpool, in percent. Use `changePolicy` of the workerpool.
    function setPolicy(uint256 workerStakeRatio, uint256 schedulerRewardRatio) external;
}
