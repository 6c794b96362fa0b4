// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IConsensus} from "../../contracts/interfaces/IConsensus.sol";
import {TaskStatus} from "../../contracts/types/Deals.sol";
import {SettlementChapter} from "./SettlementChapter.sol";

/// @title Replicas
/// @notice What workers say of a replicated task, and when enough of them say the same.
abstract contract Replicas is SettlementChapter {
    uint256 private constant TRIES = 12;

    /// @dev Its hash is the digest that honest workers find, so that it may be handed to a callback.
    function _truth(bytes32 taskId) internal pure returns (bytes memory) {
        return abi.encode(taskId);
    }

    function _contribute(bytes32 taskId, address worker, bool dissents) internal {
        Piece memory p = _pieceFor(taskId);
        p.worker = worker;
        p.digest = dissents ? bytes32(_draw(3)) : keccak256(_truth(taskId));
        bytes32 hash = keccak256(abi.encodePacked(taskId, p.digest));
        bool sealed_ = !_chance(20);
        bytes32 seal = sealed_ ? keccak256(abi.encodePacked(worker, taskId, p.digest)) : bytes32(_draw(9));
        _authorize(p);
        _signInEnclave(p, keccak256(abi.encodePacked(hash, seal)));
        TaskGhost storage task = _tasks[taskId];
        bool allowed = p.signed && task.status == TaskStatus.ACTIVE && _now < task.contributionDeadline;
        allowed = allowed && _said[taskId][worker].word == Word.NONE && p.deal.workerStake <= _free[worker];
        bytes memory data = abi.encodeCall(
            IConsensus.contribute,
            (taskId, hash, seal, p.enclave, p.enclaveSign, p.authorizationSign)
        );
        _actIf(allowed, worker, data);
        if (allowed) _bookContribution(p, sealed_);
    }

    function _bookContribution(Piece memory p, bool sealed_) private {
        uint256 weight = _scores[p.worker] / 3;
        weight = (weight < 3 ? 3 : weight) - 1;
        _bookLockFor(p.taskId, p.worker, p.deal.workerStake);
        _said[p.taskId][p.worker] = Said(Word.GIVEN, p.digest, sealed_, weight);
        _contributors[p.taskId].push(p.worker);
        TaskGhost storage task = _tasks[p.taskId];
        bool agreed = _isAgreed(p.taskId, p.digest, p.deal.trust);
        if (agreed) {
            task.agreed = p.digest;
            task.winners = _countOf(p.taskId, p.digest);
            task.revealed = 0;
            task.revealDeadline = _now + 2 * _timerefOf[task.dealId];
        }
        _become(p.taskId, agreed ? TaskStatus.REVEALING : TaskStatus.ACTIVE);
    }

    /// @dev One and all credibilities together are more than `trust` times what is not this result's.
    function _isAgreed(bytes32 taskId, bytes32 digest, uint256 trust) private view returns (bool) {
        address[] storage contributors = _contributors[taskId];
        uint256 others = 1;
        for (uint256 i = 0; i < contributors.length; ++i) {
            Said storage said = _said[taskId][contributors[i]];
            bool first = said.word == Word.GIVEN && _firstWith(taskId, said.digest) == contributors[i];
            if (first && said.digest != digest) others += _credibilityOf(taskId, said.digest);
        }
        return trust <= (others + _credibilityOf(taskId, digest) - 1) / others;
    }

    function _credibilityOf(bytes32 taskId, bytes32 digest) private view returns (uint256 credibility) {
        address[] storage contributors = _contributors[taskId];
        credibility = 1;
        for (uint256 i = 0; i < contributors.length; ++i) {
            Said storage said = _said[taskId][contributors[i]];
            if (said.word == Word.GIVEN && said.digest == digest) credibility *= said.weight;
        }
    }

    function _countOf(bytes32 taskId, bytes32 digest) private view returns (uint256 count) {
        address[] storage contributors = _contributors[taskId];
        for (uint256 i = 0; i < contributors.length; ++i) {
            Said storage said = _said[taskId][contributors[i]];
            if (said.word == Word.GIVEN && said.digest == digest) ++count;
        }
    }

    function _firstWith(bytes32 taskId, bytes32 digest) private view returns (address) {
        address[] storage contributors = _contributors[taskId];
        for (uint256 i = 0; i < contributors.length; ++i) {
            Said storage said = _said[taskId][contributors[i]];
            if (said.word == Word.GIVEN && said.digest == digest) return contributors[i];
        }
        return NOBODY;
    }

    function _reveal(bytes32 taskId, address worker, bytes32 digest) internal {
        TaskGhost storage task = _tasks[taskId];
        Said storage said = _said[taskId][worker];
        bool allowed = task.status == TaskStatus.REVEALING && _now < task.revealDeadline;
        allowed = allowed && said.word == Word.GIVEN && said.digest == task.agreed;
        allowed = allowed && digest == task.agreed && said.sealed_;
        _actIf(allowed, worker, abi.encodeCall(IConsensus.reveal, (taskId, digest)));
        if (!allowed) return;
        said.word = Word.PROVED;
        ++task.revealed;
    }

    /// @dev One of those whose result was agreed on and who can still say so.
    function _awaited(bytes32 taskId) internal view returns (address) {
        address[] storage contributors = _contributors[taskId];
        for (uint256 i = 0; i < contributors.length; ++i) {
            Said storage said = _said[taskId][contributors[i]];
            bool gave = said.word == Word.GIVEN && said.digest == _tasks[taskId].agreed && said.sealed_;
            if (gave) return contributors[i];
        }
        return NOBODY;
    }

    /// @dev Mostly a task in that status and in time; made, if none is near.
    function _replicaIn(TaskStatus wanted) internal returns (bytes32 taskId) {
        if (_taskIds.length > 0 && _chance(12)) return _taskIds[_draw(_taskIds.length)];
        uint256 start = _draw(_taskIds.length + 1);
        for (uint256 i = start; i < _taskIds.length && i < start + TRIES; ++i) {
            TaskGhost storage task = _tasks[_taskIds[i]];
            uint256 deadline = wanted == TaskStatus.ACTIVE ? task.contributionDeadline : task.revealDeadline;
            if (task.status == wanted && _now < deadline) return _taskIds[i];
        }
        taskId = _newTask(Wishes(_chance(4), _chance(2), _chance(2), true));
        if (taskId == 0 || wanted == TaskStatus.ACTIVE) return taskId;
        uint256 first = _draw(ACTORS);
        for (uint256 i = 0; i < ACTORS && _tasks[taskId].status == TaskStatus.ACTIVE; ++i) {
            _contribute(taskId, _actors[(first + i) % ACTORS], _chance(8));
        }
    }
}
