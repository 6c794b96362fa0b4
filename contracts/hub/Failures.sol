// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IFailures} from "../interfaces/IFailures.sol";
import {Deal, TaskStatus} from "../types/Deals.sol";
import {Completion} from "./Completion.sol";

/// @title Failures: what an enclave could not compute, and why
abstract contract Failures is IFailures, Completion {
    /// @inheritdoc IFailures
    function settleFailure(
        bytes32 dealid,
        uint256 idx,
        address worker,
        uint256 cause,
        address enclaveChallenge,
        bytes calldata enclaveSign,
        bytes calldata authorizationSign
    ) external {
        Deal memory deal;
        uint256 timeref = _readExisting(dealid, deal);
        Vault memory vault = _vault;

        // Check: in time, one worker is enough, and an authorized enclave says so.
        bytes32 taskId = _taskIdOf(dealid, idx);
        TaskState memory task = _begin(dealid, deal, _deals[dealid].blob, taskId, idx);
        _checkBefore(taskId, _contributionDeadlineOf(deal, timeref));
        _checkFailure(taskId, worker, cause, enclaveChallenge, enclaveSign);
        _checkAuthorization(vault, deal, taskId, worker, enclaveChallenge, authorizationSign);

        // Effect.
        task.status = TaskStatus.FAILED;
        _store(_tasks[taskId], task);
        _refund(vault, deal, task.datasets);
        _unlock(vault, deal.workerpool.owner, _stakeOf(deal));
        _store(vault);
        emit TaskFailed(taskId, worker, cause);
    }
}
