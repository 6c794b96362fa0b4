// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICallbackRelay} from "../interfaces/ICallbackRelay.sol";
import {IOracleConsumer} from "../interfaces/IOracleConsumer.sol";
import {IRelayedConsumer} from "../interfaces/IRelayedConsumer.sol";
import {IViews} from "../interfaces/IViews.sol";
import {Task, TaskStatus} from "../types/Deals.sol";

/// @title CallbackRelay
/// @notice Keeps nothing: the Hub has the results, and each consumer knows what it has received.
contract CallbackRelay is ICallbackRelay {
    /// @inheritdoc ICallbackRelay
    IViews public immutable hub;

    constructor(IViews hub_) {
        hub = hub_;
    }

    /// @inheritdoc ICallbackRelay
    function relay(bytes32 taskId) external {
        Task memory task = hub.viewTask(taskId);
        require(task.status == TaskStatus.COMPLETED, NoResultToRelay(taskId, task.status));
        address consumer = hub.viewDeal(task.dealid).callback;
        require(consumer != address(0), NoCallbackWanted(taskId));
        require(_isAwaited(consumer, taskId), NotAwaited(taskId, consumer));
        bytes memory call = abi.encodeCall(IOracleConsumer.receiveResult, (taskId, task.resultsCallback));
        (bool done, bytes memory reason) = consumer.call(call);
        require(done, CallbackRefused(taskId, consumer, reason));
        require(!_isAwaited(consumer, taskId), StillAwaited(taskId, consumer));
        emit CallbackRelayed(taskId, consumer);
    }

    /// @dev Whoever cannot answer waits for nothing.
    function _isAwaited(address consumer, bytes32 taskId) private view returns (bool) {
        (bool done, bytes memory answer) = consumer.staticcall(abi.encodeCall(IRelayedConsumer.relayFor, (taskId)));
        return done && answer.length >= 32 && uint256(bytes32(answer)) == uint160(address(this));
    }
}
