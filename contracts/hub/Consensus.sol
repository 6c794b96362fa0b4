// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {IConsensus} from "../interfaces/IConsensus.sol";
import {ITasks} from "../interfaces/ITasks.sol";
import {ProofLib} from "../libraries/ProofLib.sol";
import {ResultLib} from "../libraries/ResultLib.sol";
import {ShareLib} from "../libraries/ShareLib.sol";
import {TrustLib} from "../libraries/TrustLib.sol";
import {ContributionStatus, Deal, TaskStatus} from "../types/Deals.sol";
import {Completion} from "./Completion.sol";

/// @title Consensus: tasks that several workers compute until enough of them agree
abstract contract Consensus is IConsensus, Completion {
    /// @dev Which result was found, by how many, how credible it is, and how credible one and all results are together.
    struct Tally {
        uint256 group;
        uint256 winners;
        uint256 credibility;
        uint256 total;
    }

    /* CONTRIBUTION */

    /// @inheritdoc IConsensus
    function contribute(
        bytes32 taskId,
        bytes32 resultHash,
        bytes32 resultSeal,
        address enclaveChallenge,
        bytes calldata enclaveSign,
        bytes calldata authorizationSign
    ) external {
        address worker = _sender();
        Deal memory deal;
        TaskState storage task = _tasks[taskId];
        uint256 timeref = _readWith(taskId, task, TaskStatus.ACTIVE, deal);
        Vault memory vault = _vault;
        Round memory round = _rounds[taskId];
        ContributionState storage contribution = _contributions[taskId][worker];

        // Check: in time, once, within the bound, and signed for.
        _checkBefore(taskId, _contributionDeadlineOf(deal, timeref));
        require(contribution.status == ContributionStatus.UNSET, AlreadyContributed(taskId, worker));
        require(round.contributors < MAX_CONTRIBUTORS, TooManyContributors(taskId, MAX_CONTRIBUTORS));
        _checkAuthorization(vault, deal, taskId, worker, enclaveChallenge, authorizationSign);
        _checkEnclave(taskId, resultHash, resultSeal, enclaveChallenge, enclaveSign);

        // Effect.
        uint256 weight = TrustLib.weightOf(_accounts[worker].score);
        Tally memory tally = _count(taskId, round, resultHash, weight);
        _lock(vault, worker, deal.workerStake);
        _store(contribution, round.last, weight, tally.group);
        contribution.seal = resultSeal;
        if (enclaveChallenge != address(0)) contribution.enclaveChallenge = enclaveChallenge;
        round.last = worker;
        ++round.contributors;
        emit ITasks.TaskContribute(taskId, worker, resultHash);
        _agree(round, tally, taskId, resultHash, deal.trust, timeref);
        _store(_rounds[taskId], round);
        _store(vault);
    }

    /// @dev Counts one more contribution of `resultHash` in; a result that nobody found before becomes a group.
    function _count(
        bytes32 taskId,
        Round memory round,
        bytes32 resultHash,
        uint256 weight
    ) private returns (Tally memory tally) {
        tally.group = _groupOf(taskId, round.groups, resultHash);
        if (tally.group == round.groups) {
            _groups[taskId][round.groups] = resultHash;
            ++round.groups;
        }
        tally.winners = 1;
        (tally.credibility, tally.total) = (weight, 1 + weight);
        if (round.contributors > 0) _weigh(taskId, round, tally, weight);
    }

    /// @dev What the others found, together with what the latest did.
    function _weigh(bytes32 taskId, Round memory round, Tally memory tally, uint256 weight) private view {
        uint256[] memory credibilities = new uint256[](round.groups);
        credibilities[tally.group] = weight;
        address worker = round.last;
        for (uint256 i = round.contributors; i > 0; --i) {
            ContributionState storage contribution = _contributions[taskId][worker];
            worker = contribution.previous;
            if (contribution.status != ContributionStatus.CONTRIBUTED) continue;
            uint256 group = contribution.group;
            if (group == tally.group) ++tally.winners;
            credibilities[group] = TrustLib.join(credibilities[group], contribution.weight);
        }
        tally.credibility = credibilities[tally.group];
        tally.total = TrustLib.totalOf(credibilities);
    }

    function _groupOf(bytes32 taskId, uint256 groups, bytes32 resultHash) private view returns (uint256 group) {
        while (group < groups && _groups[taskId][group] != resultHash) ++group;
    }

    /// @dev The result just found may be agreed on now; another could not have become so.
    function _agree(
        Round memory round,
        Tally memory tally,
        bytes32 taskId,
        bytes32 resultHash,
        uint256 trust,
        uint256 timeref
    ) private {
        if (!TrustLib.isAgreed(tally.credibility, tally.total, trust)) return;
        TaskState memory task = _tasks[taskId];
        task.status = TaskStatus.REVEALING;
        task.consensusTime = uint40(block.timestamp);
        _store(_tasks[taskId], task);
        round.group = uint8(tally.group);
        round.winners = uint8(tally.winners);
        round.revealDeadline = _narrowDeadline(timeref);
        emit ITasks.TaskConsensus(taskId, resultHash);
    }

    /* REVELATION */

    /// @inheritdoc IConsensus
    function reveal(bytes32 taskId, bytes32 resultDigest) external {
        address worker = _sender();
        TaskState storage task = _tasks[taskId];
        Round storage round = _rounds[taskId];
        ContributionState storage contribution = _contributions[taskId][worker];

        // Check: the task is revealing, in time, and the digest opens this worker's contribution.
        _checkStatus(taskId, task, TaskStatus.REVEALING);
        uint256 deadline = _revealDeadlineOf(task, round);
        require(block.timestamp < deadline, ITasks.DeadlinePassed(taskId, deadline));
        (uint8 group, uint8 revealed) = (round.group, round.revealed);
        bool awaited = contribution.status == ContributionStatus.CONTRIBUTED && contribution.group == group;
        require(awaited, NothingToReveal(taskId, worker));
        bytes32 known = _groups[taskId][group];
        bytes32 claimed = revealed > 0 ? resultDigest : Hashes.efficientKeccak256(taskId, resultDigest);
        bytes32 seal = ProofLib.sealOf(worker, taskId, resultDigest);
        require(claimed == known && seal == contribution.seal, WrongDigest(taskId, worker, resultDigest));

        // Effect.
        contribution.status = ContributionStatus.PROVED;
        round.revealed = revealed + 1;
        if (revealed == 0) _groups[taskId][group] = resultDigest;
        emit ITasks.TaskReveal(taskId, worker, resultDigest);
    }

    /// @inheritdoc IConsensus
    function reopen(bytes32 taskId) external {
        Deal memory deal;
        TaskState storage task = _tasks[taskId];
        Round storage round = _rounds[taskId];

        // Check: the pool's owner, in time, after nobody revealed.
        uint256 deadline = _checkPool(taskId, task, deal);
        require(block.timestamp < deadline, ITasks.DeadlinePassed(taskId, deadline));
        deadline = _revealDeadlineOf(task, round);
        require(block.timestamp >= deadline, ITasks.DeadlineNotReached(taskId, deadline));
        require(round.revealed == 0, AlreadyRevealed(taskId));

        // Effect.
        _reject(taskId, round.group);
        task.status = TaskStatus.ACTIVE;
        task.reopened = true;
        round.winners = 0;
        emit TaskReopen(taskId);
    }

    /// @dev Those who found what nobody opened.
    function _reject(bytes32 taskId, uint256 group) private {
        address[] memory contributors = _contributorsOf(taskId);
        for (uint256 i = 0; i < contributors.length; ++i) {
            ContributionState storage contribution = _contributions[taskId][contributors[i]];
            if (contribution.group == group) contribution.status = ContributionStatus.REJECTED;
        }
    }

    /* FINALIZATION */

    /// @inheritdoc IConsensus
    function finalize(bytes32 taskId, bytes calldata results, bytes calldata resultsCallback) external {
        Deal memory deal;
        TaskState storage task = _tasks[taskId];
        uint256 deadline = _checkPool(taskId, task, deal);

        // Check: in time, enough revealed, and the callback data is what was computed.
        require(block.timestamp < deadline, ITasks.DeadlinePassed(taskId, deadline));
        bytes32 digest = _checkRevealed(taskId, task);
        _checkCallbackData(taskId, deal.callback, digest, resultsCallback);

        // Effect.
        Vault memory vault = _vault;
        task.status = TaskStatus.COMPLETED;
        task.result = _writeBlob(vault, ResultLib.encodeAgreed(results, resultsCallback));
        Payout memory payout = _payoutOf(deal);
        _payAssets(vault, deal, payout, taskId, task.datasets);
        _payWorkers(vault, deal, payout, taskId);
        _payOut(vault, deal, payout);
        _store(vault);
        emit ITasks.TaskFinalize(taskId, results);

        // Interaction.
        _callBack(deal.callback, taskId, resultsCallback);
    }

    /// @dev All revealed, or some did and the others' time is over.
    function _checkRevealed(bytes32 taskId, TaskState storage task) private view returns (bytes32 digest) {
        Round storage round = _rounds[taskId];
        (uint256 revealed, uint256 winners) = (round.revealed, round.winners);
        uint256 deadline = _revealDeadlineOf(task, round);
        bool enough = revealed == winners || (revealed > 0 && block.timestamp >= deadline);
        require(enough, RevealsMissing(taskId, revealed, winners, deadline));
        return _groups[taskId][round.group];
    }

    /// @dev Who did not reveal the result loses the stake; price and lost stakes are divided between the pool and those who
    /// did. What rounding leaves is the pool's.
    function _payWorkers(Vault memory vault, Deal memory deal, Payout memory payout, bytes32 taskId) private {
        address[] memory contributors = _contributorsOf(taskId);
        uint256[] memory weights = new uint256[](contributors.length);
        uint256 totalWeight;
        uint256 pot = deal.workerpool.price;
        for (uint256 i = 0; i < contributors.length; ++i) {
            ContributionState storage contribution = _contributions[taskId][contributors[i]];
            if (contribution.status == ContributionStatus.PROVED) {
                weights[i] = TrustLib.rewardWeightOf(contribution.weight);
                totalWeight += weights[i];
            } else pot += deal.workerStake;
        }
        uint256 share = ShareLib.percentOf(pot, 100 - deal.schedulerRewardRatio);
        bool scored = deal.workerpool.price > 0;
        for (uint256 i = 0; i < contributors.length; ++i) {
            address worker = contributors[i];
            if (weights[i] == 0) {
                _seize(worker, deal.workerStake, taskId);
                if (scored) _scoreFaulty(worker, taskId);
            } else {
                uint256 reward = ShareLib.weightedOf(share, weights[i], totalWeight);
                pot -= reward;
                _release(vault, worker, deal.workerStake, reward);
                _emitUnlock(worker, deal.workerStake);
                _emitReward(worker, reward, taskId);
                if (scored && contributors.length > 1) _scoreAccurate(worker, taskId);
            }
        }
        payout.pool += pot;
        _emitReward(deal.workerpool.owner, pot, taskId);
    }

    function _scoreAccurate(address worker, bytes32 taskId) private {
        ++_accounts[worker].score;
        emit AccurateContribution(worker, taskId);
    }

    function _scoreFaulty(address worker, bytes32 taskId) private {
        AccountState storage state = _accounts[worker];
        state.score = uint64((uint256(state.score) * 2) / 3);
        emit FaultyContribution(worker, taskId);
    }

    /* CHECKS */

    /// @dev The caller owns the pool of a task that is revealing; returns the final deadline.
    function _checkPool(bytes32 taskId, TaskState storage task, Deal memory deal) private view returns (uint256) {
        uint256 timeref = _readWith(taskId, task, TaskStatus.REVEALING, deal);
        address caller = _sender();
        address poolOwner = deal.workerpool.owner;
        require(caller == poolOwner, NotPoolOwner(taskId, caller, poolOwner));
        return deal.startTime + FINAL_DEADLINE_RATIO * timeref;
    }

    function _readWith(
        bytes32 taskId,
        TaskState storage task,
        TaskStatus status,
        Deal memory deal
    ) private view returns (uint256 timeref) {
        _checkStatus(taskId, task, status);
        return _readDeal(_dealIdOfBlob(task.deal), deal);
    }

    function _checkStatus(bytes32 taskId, TaskState storage task, TaskStatus status) private view {
        require(task.status == status, ITasks.WrongStatus(taskId, task.status));
    }
}
