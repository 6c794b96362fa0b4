// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IOracleConsumer} from "../interfaces/IOracleConsumer.sol";
import {ITasks} from "../interfaces/ITasks.sol";
import {Blob} from "../libraries/Blob.sol";
import {DealLib} from "../libraries/DealLib.sol";
import {ResultLib} from "../libraries/ResultLib.sol";
import {TagLib} from "../libraries/TagLib.sol";
import {Deal, TaskStatus} from "../types/Deals.sol";
import {Escrow} from "./Escrow.sol";
import {Signatures} from "./Signatures.sol";

/// @title Tasks: initialize, contribute, finalize, claim, call back
abstract contract Tasks is ITasks, Escrow, Signatures {
    using TagLib for bytes32;

    /// @dev What the call itself costs before the callback's gas is counted: two cold accounts (the callback's, and what
    /// it delegates to by EIP-7702) and the copy of its data, generously.
    uint256 private constant CALL_COST = 10_000;

    /* INITIALIZATION */

    /// @inheritdoc ITasks
    function initialize(bytes32 dealId, uint256 index) external returns (bytes32 taskId) {
        return _initialize(dealId, index);
    }

    /// @inheritdoc ITasks
    function initializeArray(bytes32[] calldata dealIds, uint256[] calldata indexes) external returns (bool) {
        require(dealIds.length == indexes.length, LengthMismatch(dealIds.length, indexes.length));
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
        require(index >= first && index - first < size, IndexOutOfDeal(dealId, index, first, size));
        require(task.status == TaskStatus.UNSET, WrongStatus(taskId, task.status));

        // Effect.
        task.status = TaskStatus.ACTIVE;
        task.deal = blob;
        task.index = _narrowIndex(taskId, index);
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
        uint256 timeref = _openTask(taskId, deal);
        Vault memory vault = _vault;

        // Check: in time, one worker is enough, the callback data is what was computed, and all of it is signed for.
        uint256 deadline = deal.startTime + CONTRIBUTION_DEADLINE_RATIO * timeref;
        require(block.timestamp < deadline, DeadlinePassed(taskId, deadline));
        require(deal.trust == 1, TrustNotOne(taskId, deal.trust));
        _checkCallbackData(taskId, deal.callback, resultDigest, resultsCallback);
        require(enclaveChallenge != address(0) || !deal.tag.needsEnclave(), EnclaveRequired(taskId));
        _checkAuthorization(vault, deal.workerpool.owner, taskId, enclaveChallenge, authorizationSign);
        bytes32 resultHash = keccak256(abi.encodePacked(taskId, resultDigest));
        if (enclaveChallenge != address(0)) {
            bytes32 resultSeal = keccak256(abi.encodePacked(msg.sender, taskId, resultDigest));
            bytes32 message = keccak256(abi.encodePacked(resultHash, resultSeal));
            bool signed = _isSignedMessage(enclaveChallenge, message, enclaveSign);
            require(signed, NotSignedByEnclave(taskId, enclaveChallenge));
        }

        // Effect.
        TaskState storage task = _tasks[taskId];
        task.status = TaskStatus.COMPLETED;
        task.consensusTime = uint40(block.timestamp);
        task.result = _writeBlob(
            vault,
            ResultLib.encode(resultDigest, msg.sender, enclaveChallenge, results, resultsCallback)
        );
        emit TaskContribute(taskId, msg.sender, resultHash);
        emit TaskConsensus(taskId, resultHash);
        emit TaskReveal(taskId, msg.sender, resultDigest);
        _payAssets(vault, deal, taskId);
        _payWork(vault, deal, taskId, msg.sender);
        _vault = vault;
        emit TaskFinalize(taskId, results);

        // Interaction.
        if (deal.callback != address(0)) _callBack(deal.callback, taskId, resultsCallback);
    }

    function _checkCallbackData(
        bytes32 taskId,
        address callback,
        bytes32 resultDigest,
        bytes calldata resultsCallback
    ) private pure {
        if (callback == address(0) && resultsCallback.length == 0) return;
        bytes32 callbackHash = keccak256(resultsCallback);
        require(callbackHash == resultDigest, WrongCallbackData(taskId, resultDigest, callbackHash));
    }

    function _checkAuthorization(
        Vault memory vault,
        address poolOwner,
        bytes32 taskId,
        address enclaveChallenge,
        bytes calldata authorizationSign
    ) private view {
        bool brokered = vault.hasTeeBroker && enclaveChallenge != address(0);
        address authorizer = brokered ? _settings.teeBroker : poolOwner;
        bytes32 message = keccak256(abi.encodePacked(msg.sender, taskId, enclaveChallenge));
        require(
            _isSignedMessage(authorizer, message, authorizationSign),
            NotAuthorized(taskId, msg.sender, enclaveChallenge, authorizer)
        );
    }

    /// @dev The payer's lock turns into what app and dataset earn; the price of the work stays for `_payWork`.
    function _payAssets(Vault memory vault, Deal memory deal, bytes32 taskId) private {
        uint256 appPrice = deal.app.price;
        uint256 datasetPrice = deal.dataset.price;
        _seize(deal.sponsor, appPrice + datasetPrice + deal.workerpool.price, taskId);
        if (appPrice > 0) _reward(vault, deal.app.owner, appPrice, taskId);
        if (datasetPrice > 0) _reward(vault, deal.dataset.owner, datasetPrice, taskId);
    }

    /// @dev The pool gets its stake back and a share of the kitty, and divides the price of the work with the worker.
    function _payWork(Vault memory vault, Deal memory deal, bytes32 taskId, address worker) private {
        address poolOwner = deal.workerpool.owner;
        uint256 price = deal.workerpool.price;
        _unlock(vault, poolOwner, _stakeOf(deal));
        uint256 bonus = _bonusOf(vault.kitty, price);
        if (bonus > 0) _drawKitty(vault, poolOwner, bonus, taskId);
        uint256 workerReward = (price * (100 - deal.schedulerRewardRatio)) / 100;
        _reward(vault, worker, workerReward, taskId);
        _reward(vault, poolOwner, price - workerReward, taskId);
    }

    /// @dev A tenth of the kitty, or the minimum if that is more; never more than it holds nor than the work costs.
    function _bonusOf(uint256 kitty, uint256 price) private pure returns (uint256) {
        return Math.min(Math.min(Math.max((kitty * KITTY_RATIO) / 100, KITTY_MIN), kitty), price);
    }

    /// @dev Whatever the callee does, the task stands; what it answers is not copied.
    function _callBack(address callback, bytes32 taskId, bytes calldata resultsCallback) private {
        uint256 callbackGas = _settings.callbackGas;
        bytes memory data = abi.encodeCall(IOracleConsumer.receiveResult, (taskId, resultsCallback));
        // A 64th of the gas stays with the caller (EIP-150): the callee must get its due out of the rest.
        uint256 needed = callbackGas + callbackGas / 63 + CALL_COST;
        require(gasleft() > needed, CallbackStarved(gasleft(), callbackGas));
        assembly ("memory-safe") {
            pop(call(callbackGas, callback, 0, add(data, 32), mload(data), 0, 0))
        }
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
        require(dealIds.length == indexes.length, LengthMismatch(dealIds.length, indexes.length));
        for (uint256 i = 0; i < dealIds.length; ++i) {
            _claim(_initialize(dealIds[i], indexes[i]));
        }
        return true;
    }

    function _claim(bytes32 taskId) private {
        // Check: the task is not over, but its time is.
        Deal memory deal;
        uint256 timeref = _openTask(taskId, deal);
        uint256 deadline = deal.startTime + FINAL_DEADLINE_RATIO * timeref;
        require(block.timestamp >= deadline, DeadlineNotReached(taskId, deadline));

        // Effect.
        _tasks[taskId].status = TaskStatus.FAILED;
        Vault memory vault = _vault;
        uint256 stake = _stakeOf(deal);
        _unlock(vault, deal.sponsor, deal.app.price + deal.dataset.price + deal.workerpool.price);
        _seize(deal.workerpool.owner, stake, taskId);
        _fillKitty(vault, stake, taskId);
        _vault = vault;
        emit TaskClaimed(taskId);
    }

    /// @dev Fills in the deal of a task that is not over.
    function _openTask(bytes32 taskId, Deal memory deal) private view returns (uint256 timeref) {
        TaskState storage task = _tasks[taskId];
        require(task.status == TaskStatus.ACTIVE, WrongStatus(taskId, task.status));
        return _readDeal(_dealIdOfTask(task), deal);
    }
}
