// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IEscrow} from "../interfaces/IEscrow.sol";
import {ITasks} from "../interfaces/ITasks.sol";
import {ResultLib} from "../libraries/ResultLib.sol";
import {ShareLib} from "../libraries/ShareLib.sol";
import {Deal, Settlement, TaskStatus} from "../types/Deals.sol";
import {Completion} from "./Completion.sol";

/// @title Tasks: initialize; complete by one worker, in one step or for many tasks at once; claim
abstract contract Tasks is ITasks, Completion {
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
        TaskStatus status = _tasks[taskId].status;

        // Check: the deal has this task, and it is new.
        require(blob != 0, UnknownDeal(dealId));
        (uint256 first, uint256 size) = _rangeOf(dealId, deal);
        _checkIndex(dealId, index, first, size);
        require(status == TaskStatus.UNSET, WrongStatus(taskId, status));

        // Effect.
        _activate(taskId, blob, index);
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
        TaskState storage task = _tasks[taskId];
        uint256 timeref = _readOpen(taskId, task, deal);
        Vault memory vault = _vault;
        ResultLib.Author memory author = ResultLib.Author(resultDigest, _sender(), enclaveChallenge);

        // Check: in time, one worker is enough, the callback data is what was computed, and all of it is signed for.
        _checkContributing(taskId, deal, timeref);
        _checkSole(taskId, task, deal.trust);
        _checkCallbackData(taskId, deal.callback, resultDigest, resultsCallback);
        bytes32 resultHash = _checkAuthor(vault, deal, taskId, author, enclaveSign, authorizationSign);

        // Effect.
        task.result = _writeBlob(vault, ResultLib.encode(author, results, resultsCallback));
        _complete(vault, deal, task, taskId, author, resultHash);
        _vault = vault;
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
            _bindResult(outputDigest, results, resultsCallback),
            worker,
            enclaveChallenge
        );

        // Check and effect.
        bytes32 taskId = _begin(dealid, deal, idx);
        _checkContributing(taskId, deal, timeref);
        bytes32 resultHash = _checkSettler(vault, deal, taskId, author, enclaveSign, authorizationSign);
        TaskState storage task = _tasks[taskId];
        task.result = _writeBlob(vault, ResultLib.encode(author, results, resultsCallback));
        _complete(vault, deal, task, taskId, author, resultHash);
        _vault = vault;
        emit TaskFinalize(taskId, results);

        // Interaction.
        _callBack(deal.callback, taskId, resultsCallback);
    }

    /// @inheritdoc ITasks
    function settleBatch(bytes32 dealid, Settlement[] calldata settlements) external {
        Deal memory deal;
        uint256 timeref = _readExisting(dealid, deal);
        Vault memory vault = _vault;
        bytes memory blob = ResultLib.allocate(_lengthOf(settlements));
        uint40 nonce = vault.nonce;
        uint256 offset = ResultLib.FIRST;

        // Check and effect: the results share one blob, written when all of them are in it.
        for (uint256 i = 0; i < settlements.length; ++i) {
            offset = _settleOne(vault, deal, timeref, dealid, settlements[i], blob, nonce, offset);
        }
        _writeBlob(vault, blob);
        _vault = vault;

        // Interaction.
        if (deal.callback == address(0)) return;
        for (uint256 i = 0; i < settlements.length; ++i) {
            Settlement calldata settlement = settlements[i];
            _callBack(deal.callback, _taskIdOf(dealid, settlement.idx), settlement.resultsCallback);
        }
    }

    function _settleOne(
        Vault memory vault,
        Deal memory deal,
        uint256 timeref,
        bytes32 dealId,
        Settlement calldata settlement,
        bytes memory blob,
        uint40 nonce,
        uint256 offset
    ) private returns (uint256 end) {
        bytes calldata results = settlement.results;
        bytes calldata resultsCallback = settlement.resultsCallback;
        ResultLib.Author memory author = ResultLib.Author(
            _bindResult(settlement.outputDigest, results, resultsCallback),
            settlement.worker,
            settlement.enclaveChallenge
        );
        bytes32 taskId = _begin(dealId, deal, settlement.idx);
        _checkContributing(taskId, deal, timeref);
        bytes32 resultHash = _checkSettler(
            vault,
            deal,
            taskId,
            author,
            settlement.enclaveSign,
            settlement.authorizationSign
        );
        end = ResultLib.put(blob, offset, author, results, resultsCallback);
        TaskState storage task = _tasks[taskId];
        task.result = nonce;
        // Where these would not fit, the blob is too long to be written.
        task.resultOffset = uint16(offset);
        task.resultLength = uint16(end - offset);
        _complete(vault, deal, task, taskId, author, resultHash);
        emit TaskFinalize(taskId, results);
    }

    function _lengthOf(Settlement[] calldata settlements) private pure returns (uint256 length) {
        for (uint256 i = 0; i < settlements.length; ++i) {
            length += ResultLib.lengthOf(settlements[i].results, settlements[i].resultsCallback);
        }
    }

    /// @dev What an enclave signs for covers all that is handed in.
    function _bindResult(
        bytes32 outputDigest,
        bytes calldata results,
        bytes calldata resultsCallback
    ) private pure returns (bytes32 resultDigest) {
        return keccak256(abi.encode(outputDigest, keccak256(results), keccak256(resultsCallback)));
    }

    function _checkSettler(
        Vault memory vault,
        Deal memory deal,
        bytes32 taskId,
        ResultLib.Author memory author,
        bytes calldata enclaveSign,
        bytes calldata authorizationSign
    ) private view returns (bytes32 resultHash) {
        if (author.enclaveChallenge == address(0)) {
            require(_sender() == author.worker, NotWorker(taskId, _sender(), author.worker));
        }
        return _checkAuthor(vault, deal, taskId, author, enclaveSign, authorizationSign);
    }

    function _checkAuthor(
        Vault memory vault,
        Deal memory deal,
        bytes32 taskId,
        ResultLib.Author memory author,
        bytes calldata enclaveSign,
        bytes calldata authorizationSign
    ) private view returns (bytes32 resultHash) {
        address enclaveChallenge = author.enclaveChallenge;
        _checkAuthorization(vault, deal, taskId, author.worker, enclaveChallenge, authorizationSign);
        resultHash = keccak256(abi.encodePacked(taskId, author.digest));
        bytes32 resultSeal = keccak256(abi.encodePacked(author.worker, taskId, author.digest));
        _checkEnclave(taskId, resultHash, resultSeal, enclaveChallenge, enclaveSign);
    }

    /// @dev The result's place is known; `vault` is left to write.
    function _complete(
        Vault memory vault,
        Deal memory deal,
        TaskState storage task,
        bytes32 taskId,
        ResultLib.Author memory author,
        bytes32 resultHash
    ) private {
        task.status = TaskStatus.COMPLETED;
        task.consensusTime = uint40(block.timestamp);
        emit TaskContribute(taskId, author.worker, resultHash);
        emit TaskConsensus(taskId, resultHash);
        emit TaskReveal(taskId, author.worker, author.digest);
        _payAssets(vault, deal, taskId);
        uint256 price = deal.workerpool.price;
        uint256 workerReward = ShareLib.percentOf(price, 100 - deal.schedulerRewardRatio);
        _reward(vault, author.worker, workerReward, taskId);
        _reward(vault, deal.workerpool.owner, price - workerReward, taskId);
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
        uint256 timeref = _readOpen(taskId, task, deal);
        uint256 deadline = deal.startTime + FINAL_DEADLINE_RATIO * timeref;
        require(block.timestamp >= deadline, DeadlineNotReached(taskId, deadline));

        // Effect.
        bool contributed = deal.trust > 1 || task.reopened || task.status == TaskStatus.REVEALING;
        task.status = TaskStatus.FAILED;
        Vault memory vault = _vault;
        uint256 stake = _stakeOf(deal);
        _refund(vault, deal, taskId);
        _seize(deal.workerpool.owner, stake, taskId);
        _fillKitty(vault, stake, taskId);
        if (contributed) _unlockContributors(vault, deal.workerStake, taskId);
        _vault = vault;
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
        TaskState storage task,
        Deal memory deal
    ) private view returns (uint256 timeref) {
        TaskStatus status = task.status;
        require(status == TaskStatus.ACTIVE || status == TaskStatus.REVEALING, WrongStatus(taskId, status));
        return _readDeal(_dealIdOfTask(task), deal);
    }

    function _checkLengths(uint256 first, uint256 second) private pure {
        require(first == second, IEscrow.LengthMismatch(first, second));
    }
}
