// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {IEscrow} from "../interfaces/IEscrow.sol";
import {ITasks} from "../interfaces/ITasks.sol";
import {Blob} from "../libraries/Blob.sol";
import {DealLib} from "../libraries/DealLib.sol";
import {ProofLib} from "../libraries/ProofLib.sol";
import {ResultLib} from "../libraries/ResultLib.sol";
import {Deal, Settlement, TaskStatus} from "../types/Deals.sol";
import {Completion} from "./Completion.sol";

/// @title Tasks: initialize; complete by one worker, in one step or for many tasks at once; claim
abstract contract Tasks is ITasks, Completion {
    /// @dev Results of tasks of one deal on their way into one blob, of creation nonce `nonce`, which ends at `end` so far.
    struct Batch {
        bytes32 dealId;
        uint256 deadline;
        uint256 end;
        bytes results;
        Deal deal;
        Payout payout;
        uint40 dealBlob;
        uint40 nonce;
    }

    /* INITIALIZATION */

    /// @inheritdoc ITasks
    function initialize(bytes32 dealId, uint256 index) external returns (bytes32 taskId) {
        return _initialize(dealId, index);
    }

    /// @inheritdoc ITasks
    function initializeArray(bytes32[] calldata dealIds, uint256[] calldata indexes) external returns (bool) {
        _checkLengths(dealIds.length, indexes.length);
        for (uint256 i = 0; i < dealIds.length; ++i) {
            _initialize(dealIds[i], indexes[i]);
        }
        return true;
    }

    function _initialize(bytes32 dealId, uint256 index) private returns (bytes32 taskId) {
        DealState storage deal = _deals[dealId];
        uint40 blob = deal.blob;
        taskId = _taskIdOf(dealId, index);
        TaskState storage task = _tasks[taskId];

        // Check: the deal has this task, and it is new.
        require(blob != 0, UnknownDeal(dealId));
        (uint256 first, uint256 size) = _rangeOf(dealId, deal);
        _checkIndex(dealId, index, first, size);
        require(task.status == TaskStatus.UNSET, WrongStatus(taskId, task.status));

        // Effect.
        _storeActive(task, blob, _narrowIndex(taskId, index));
        emit TaskInitialize(taskId, address(bytes20(Blob.wordAt(blob, DealLib.WORKERPOOL_OFFSET))));
    }

    function _rangeOf(bytes32 dealId, DealState storage state) private view returns (uint256 first, uint256 size) {
        if (!state.wide) return (state.botFirst, state.botSize);
        Deal memory deal;
        _readDeal(dealId, deal);
        return (deal.botFirst, deal.botSize);
    }

    /* COMPLETION */

    /// @inheritdoc ITasks
    function contributeAndFinalize(
        bytes32 taskId,
        bytes32 resultDigest,
        bytes calldata results,
        bytes calldata resultsCallback,
        address enclaveChallenge,
        bytes calldata enclaveSign,
        bytes calldata authorizationSign
    ) external {
        Deal memory deal;
        TaskState memory task = _tasks[taskId];
        uint256 timeref = _readOpen(taskId, task.status, task.deal, deal);
        Vault memory vault = _vault;
        ResultLib.Author memory author = ResultLib.Author(resultDigest, _sender(), enclaveChallenge);

        // Check: in time, one worker is enough, the callback data is what was computed, and all of it is signed for.
        _checkBefore(taskId, _contributionDeadlineOf(deal, timeref));
        _checkSole(taskId, task, deal.trust);
        _checkCallbackData(taskId, deal.callback, resultDigest, resultsCallback);
        bytes32 resultHash = _checkAuthor(vault, deal, taskId, author, enclaveSign, authorizationSign);

        // Effect.
        task.result = _writeBlob(vault, ResultLib.encode(author, results, resultsCallback));
        Payout memory payout = _payoutOf(deal);
        _complete(vault, deal, payout, task, taskId, author, resultHash);
        _payOut(vault, deal, payout);
        _store(vault);
        emit TaskFinalize(taskId, results);

        // Interaction.
        _callBack(deal.callback, taskId, resultsCallback);
    }

    /// @inheritdoc ITasks
    function settle(
        bytes32 dealid,
        uint256 idx,
        address worker,
        bytes32 outputDigest,
        bytes calldata results,
        bytes calldata resultsCallback,
        address enclaveChallenge,
        bytes calldata enclaveSign,
        bytes calldata authorizationSign
    ) external {
        Deal memory deal;
        uint256 timeref = _readExisting(dealid, deal);
        Vault memory vault = _vault;
        ResultLib.Author memory author = ResultLib.Author(
            ProofLib.digestOf(outputDigest, results, resultsCallback),
            worker,
            enclaveChallenge
        );

        // Check and effect.
        bytes32 taskId = _taskIdOf(dealid, idx);
        TaskState memory task = _begin(dealid, deal, _deals[dealid].blob, taskId, idx);
        _checkBefore(taskId, _contributionDeadlineOf(deal, timeref));
        bytes32 resultHash = _checkSettler(vault, deal, taskId, author, enclaveSign, authorizationSign);
        task.result = _writeBlob(vault, ResultLib.encode(author, results, resultsCallback));
        Payout memory payout = _payoutOf(deal);
        _complete(vault, deal, payout, task, taskId, author, resultHash);
        _payOut(vault, deal, payout);
        _store(vault);
        emit TaskFinalize(taskId, results);

        // Interaction.
        _callBack(deal.callback, taskId, resultsCallback);
    }

    /// @inheritdoc ITasks
    function settleBatch(bytes32 dealid, Settlement[] calldata settlements) external {
        Batch memory batch;
        Deal memory deal = batch.deal;
        uint256 timeref = _readExisting(dealid, deal);
        require(settlements.length > 0, NothingToSettle(dealid));
        Vault memory vault = _vault;
        batch.dealId = dealid;
        batch.dealBlob = _deals[dealid].blob;
        batch.deadline = _contributionDeadlineOf(deal, timeref);
        batch.nonce = vault.nonce;
        batch.results = ResultLib.allocate(Blob.MAX_LENGTH, settlements[0].worker);
        batch.end = ResultLib.FIRST;
        batch.payout = _payoutOf(deal);

        // Check and effect: the results share one blob, written when all of them are in it.
        for (uint256 i = 0; i < settlements.length; ++i) {
            _settleOne(vault, batch, settlements[i]);
        }
        ResultLib.trim(batch.results, batch.end);
        _writeBlob(vault, batch.results);
        _payOut(vault, deal, batch.payout);
        _store(vault);

        // Interaction.
        if (deal.callback == address(0)) return;
        for (uint256 i = 0; i < settlements.length; ++i) {
            Settlement calldata settlement = settlements[i];
            _callBack(deal.callback, _taskIdOf(dealid, settlement.idx), settlement.resultsCallback);
        }
    }

    function _settleOne(Vault memory vault, Batch memory batch, Settlement calldata settlement) private {
        bytes calldata results = settlement.results;
        bytes calldata resultsCallback = settlement.resultsCallback;
        bytes32 digest = ProofLib.digestOf(settlement.outputDigest, results, resultsCallback);
        ResultLib.Author memory author = ResultLib.Author(digest, settlement.worker, settlement.enclaveChallenge);
        Deal memory deal = batch.deal;
        bytes32 taskId = _taskIdOf(batch.dealId, settlement.idx);
        TaskState memory task = _begin(batch.dealId, deal, batch.dealBlob, taskId, settlement.idx);
        _checkBefore(taskId, batch.deadline);
        bytes32 resultHash = _checkSettler(
            vault,
            deal,
            taskId,
            author,
            settlement.enclaveSign,
            settlement.authorizationSign
        );
        uint256 offset = batch.end;
        batch.end = ResultLib.put(batch.results, offset, author, results, resultsCallback);
        task.result = batch.nonce;
        // Where these would not fit, the blob is too long to be written.
        task.resultOffset = uint16(offset);
        task.resultLength = uint16(batch.end - offset);
        _complete(vault, deal, batch.payout, task, taskId, author, resultHash);
        emit TaskFinalize(taskId, results);
    }

    /// @dev What the enclave signs to have a result settled is not what it signs for `contributeAndFinalize`, where a worker
    /// could publish other results beside the digest, or call back with the bytes that the digest is the hash of.
    function _checkSettler(
        Vault memory vault,
        Deal memory deal,
        bytes32 taskId,
        ResultLib.Author memory author,
        bytes calldata enclaveSign,
        bytes calldata authorizationSign
    ) private view returns (bytes32 resultHash) {
        (address worker, address enclaveChallenge) = (author.worker, author.enclaveChallenge);
        if (enclaveChallenge == address(0)) require(_sender() == worker, NotWorker(taskId, _sender(), worker));
        _checkAuthorization(vault, deal, taskId, worker, enclaveChallenge, authorizationSign);
        if (enclaveChallenge != address(0)) {
            bytes32 message = ProofLib.resultOf(worker, taskId, author.digest);
            _checkSignedByEnclave(taskId, message, enclaveChallenge, enclaveSign);
        }
        return Hashes.efficientKeccak256(taskId, author.digest);
    }

    function _checkAuthor(
        Vault memory vault,
        Deal memory deal,
        bytes32 taskId,
        ResultLib.Author memory author,
        bytes calldata enclaveSign,
        bytes calldata authorizationSign
    ) private view returns (bytes32 resultHash) {
        (address worker, address enclaveChallenge) = (author.worker, author.enclaveChallenge);
        _checkAuthorization(vault, deal, taskId, worker, enclaveChallenge, authorizationSign);
        resultHash = Hashes.efficientKeccak256(taskId, author.digest);
        bytes32 resultSeal = ProofLib.sealOf(worker, taskId, author.digest);
        _checkEnclave(taskId, resultHash, resultSeal, enclaveChallenge, enclaveSign);
    }

    /// @dev The result's place is known; payout and vault are left to write.
    function _complete(
        Vault memory vault,
        Deal memory deal,
        Payout memory payout,
        TaskState memory task,
        bytes32 taskId,
        ResultLib.Author memory author,
        bytes32 resultHash
    ) private {
        task.status = TaskStatus.COMPLETED;
        task.consensusTime = uint40(block.timestamp);
        _store(_tasks[taskId], task);
        emit TaskContribute(taskId, author.worker, resultHash);
        emit TaskConsensus(taskId, resultHash);
        emit TaskReveal(taskId, author.worker, author.digest);
        _payAssets(vault, deal, payout, taskId, task.datasets);
        _payWorker(vault, deal, payout, taskId, author.worker);
    }

    /* CLAIM */

    /// @inheritdoc ITasks
    function claim(bytes32 taskId) external {
        _claim(taskId);
    }

    /// @inheritdoc ITasks
    function claimArray(bytes32[] calldata taskIds) external returns (bool) {
        for (uint256 i = 0; i < taskIds.length; ++i) {
            _claim(taskIds[i]);
        }
        return true;
    }

    /// @inheritdoc ITasks
    function initializeAndClaimArray(bytes32[] calldata dealIds, uint256[] calldata indexes) external returns (bool) {
        _checkLengths(dealIds.length, indexes.length);
        for (uint256 i = 0; i < dealIds.length; ++i) {
            _claim(_initialize(dealIds[i], indexes[i]));
        }
        return true;
    }

    function _claim(bytes32 taskId) private {
        // Check: the task is not over, but its time is.
        Deal memory deal;
        TaskState storage task = _tasks[taskId];
        uint256 timeref = _readOpen(taskId, task.status, task.deal, deal);
        uint256 deadline = deal.startTime + FINAL_DEADLINE_RATIO * timeref;
        require(block.timestamp >= deadline, DeadlineNotReached(taskId, deadline));

        // Effect.
        bool contributed = deal.trust > 1 || task.reopened || task.status == TaskStatus.REVEALING;
        task.status = TaskStatus.FAILED;
        Vault memory vault = _vault;
        uint256 stake = _stakeOf(deal);
        _refund(vault, deal, task.datasets);
        _seize(deal.workerpool.owner, stake, taskId);
        _fillKitty(vault, stake, taskId);
        if (contributed) _unlockContributors(vault, deal.workerStake, taskId);
        _store(vault);
        emit TaskClaimed(taskId);
    }

    function _unlockContributors(Vault memory vault, uint256 stake, bytes32 taskId) private {
        address[] memory contributors = _contributorsOf(taskId);
        for (uint256 i = 0; i < contributors.length; ++i) {
            _unlock(vault, contributors[i], stake);
        }
    }

    /// @dev Fills in the deal of a task that is not over.
    function _readOpen(
        bytes32 taskId,
        TaskStatus status,
        uint40 blob,
        Deal memory deal
    ) private view returns (uint256 timeref) {
        require(status == TaskStatus.ACTIVE || status == TaskStatus.REVEALING, WrongStatus(taskId, status));
        return _readDeal(_dealIdOfBlob(blob), deal);
    }

    function _checkLengths(uint256 first, uint256 second) private pure {
        require(first == second, IEscrow.LengthMismatch(first, second));
    }
}
