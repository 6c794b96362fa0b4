// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IConsensus} from "../../contracts/interfaces/IConsensus.sol";
import {Deal, TaskStatus} from "../../contracts/types/Deals.sol";
import {Replicas} from "./Replicas.sol";

/// @title ConsensusChapter
/// @notice Several workers agree or dissent, reveal or not, and the pool finalizes or reopens, in time or not.
abstract contract ConsensusChapter is Replicas {
    function contribute(uint256 seed) external action(seed) {
        bytes32 taskId = _replicaIn(TaskStatus.ACTIVE);
        if (taskId != 0) _contribute(taskId, _someone(), _chance(4));
    }

    function reveal(uint256 seed) external action(seed) {
        bytes32 taskId = _replicaIn(TaskStatus.REVEALING);
        if (taskId == 0) return;
        address worker = _chance(12) ? _someone() : _awaited(taskId);
        bytes32 digest = _chance(12) ? bytes32(_draw(9)) : _tasks[taskId].agreed;
        if (_chance(25)) _waitUntil(_tasks[taskId].revealDeadline);
        _reveal(taskId, worker, digest);
    }

    function reopen(uint256 seed) external action(seed) {
        bytes32 taskId = _replicaIn(TaskStatus.REVEALING);
        if (taskId == 0) return;
        TaskGhost storage task = _tasks[taskId];
        if (!_chance(6)) _waitUntil(task.revealDeadline);
        if (_chance(20)) _waitUntil(task.finalDeadline);
        address owner = _dealOf(taskId).workerpool.owner;
        address caller = _chance(12) ? _someone() : owner;
        bool allowed = task.status == TaskStatus.REVEALING && caller == owner && _now < task.finalDeadline;
        allowed = allowed && _now >= task.revealDeadline && task.revealed == 0;
        _actIf(allowed, caller, abi.encodeCall(IConsensus.reopen, (taskId)));
        if (allowed) _bookReopening(taskId);
    }

    function finalize(uint256 seed) external action(seed) {
        bytes32 taskId = _replicaIn(TaskStatus.REVEALING);
        if (taskId == 0) return;
        // Mostly all of them, at times some.
        for (uint256 i = 0; i < ACTORS && !_chance(8); ++i) {
            address worker = _awaited(taskId);
            if (worker != NOBODY) _reveal(taskId, worker, _tasks[taskId].agreed);
        }
        if (_chance(3)) _waitUntil(_tasks[taskId].revealDeadline);
        if (_chance(20)) _waitUntil(_tasks[taskId].finalDeadline);
        _finalize(taskId);
    }

    function _finalize(bytes32 taskId) internal {
        Deal memory deal = _dealOf(taskId);
        TaskGhost storage task = _tasks[taskId];
        address caller = _chance(12) ? _someone() : deal.workerpool.owner;
        bytes memory callbackData;
        if (deal.callback == NOBODY ? _chance(6) : !_chance(20)) callbackData = _truth(taskId);
        bool sound = keccak256(callbackData) == task.agreed;
        sound = sound || (deal.callback == NOBODY && callbackData.length == 0);
        bool enough = task.revealed > 0 && (task.revealed == task.winners || _now >= task.revealDeadline);
        bool allowed = task.status == TaskStatus.REVEALING && caller == deal.workerpool.owner;
        allowed = allowed && _now < task.finalDeadline && enough && sound && _canCallBack(deal);
        bytes memory data = abi.encodeCall(IConsensus.finalize, (taskId, new bytes(_draw(99)), callbackData));
        uint256 amount = _arm(data, taskId);
        _actIf(allowed, caller, data);
        if (allowed) _bookFinal(taskId, deal);
        _bookMeddling(amount);
    }

    function _bookReopening(bytes32 taskId) private {
        TaskGhost storage task = _tasks[taskId];
        address[] storage contributors = _contributors[taskId];
        for (uint256 i = 0; i < contributors.length; ++i) {
            Said storage said = _said[taskId][contributors[i]];
            if (said.digest == task.agreed) said.word = Word.REJECTED;
        }
        task.reopened = true;
        task.agreed = 0;
        task.winners = 0;
        _become(taskId, TaskStatus.ACTIVE);
    }

    function _bookFinal(bytes32 taskId, Deal memory deal) private {
        ++_blobs;
        _bookAssets(taskId, deal);
        address[] storage contributors = _contributors[taskId];
        uint256 pot = deal.workerpool.price;
        uint256 weights;
        for (uint256 i = 0; i < contributors.length; ++i) {
            Said storage said = _said[taskId][contributors[i]];
            if (said.word == Word.PROVED) weights += _log2(said.weight);
            else pot += deal.workerStake;
        }
        uint256 share = (pot * (100 - deal.schedulerRewardRatio)) / 100;
        uint256 rest = pot;
        for (uint256 i = 0; i < contributors.length; ++i) {
            rest -= _bookWorker(taskId, deal, contributors[i], share, weights);
        }
        _bookReward(taskId, deal.workerpool.owner, rest);
        _end(taskId, TaskStatus.COMPLETED);
    }

    /// @dev Scores move only where the work had a price, and up only where there was somebody to be compared with.
    function _bookWorker(
        bytes32 taskId,
        Deal memory deal,
        address worker,
        uint256 share,
        uint256 weights
    ) private returns (uint256 reward) {
        bool scored = deal.workerpool.price > 0;
        if (_said[taskId][worker].word != Word.PROVED) {
            _bookSeize(worker, deal.workerStake);
            if (scored) _scores[worker] = (_scores[worker] * 2) / 3;
            return 0;
        }
        reward = (share * _log2(_said[taskId][worker].weight)) / weights;
        _bookUnlock(taskId, worker, deal.workerStake);
        _bookReward(taskId, worker, reward);
        if (scored && _contributors[taskId].length > 1) ++_scores[worker];
    }

    function _log2(uint256 value) private pure returns (uint256 log) {
        while (value > 1) {
            value /= 2;
            ++log;
        }
    }
}
