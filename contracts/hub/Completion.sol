// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IOracleConsumer} from "../interfaces/IOracleConsumer.sol";
import {ITasks} from "../interfaces/ITasks.sol";
import {Blob} from "../libraries/Blob.sol";
import {DealLib} from "../libraries/DealLib.sol";
import {ShareLib} from "../libraries/ShareLib.sol";
import {TagLib} from "../libraries/TagLib.sol";
import {Deal, Resource, TaskStatus} from "../types/Deals.sol";
import {Escrow} from "./Escrow.sol";
import {Signatures} from "./Signatures.sol";

/// @title Completion: how a task begins, who vouches for its result, who is paid or refunded, who is called back
abstract contract Completion is Escrow, Signatures {
    using TagLib for bytes32;

    bytes32 private constant TASK_FAILURE_TYPEHASH = keccak256(
        "TaskFailure(bytes32 taskid,address worker,uint256 cause)"
    );

    /// @dev What the call itself costs before the callback's gas is counted: two cold accounts (the callback's, and what
    /// it delegates to by EIP-7702) and the copy of its data, generously.
    uint256 private constant CALL_COST = 10_000;

    /* BEGINNING */

    /// @dev Of a deal's blob. The task must be new.
    function _activate(bytes32 taskId, uint40 blob, uint256 index) internal {
        TaskState storage task = _tasks[taskId];
        task.status = TaskStatus.ACTIVE;
        task.deal = blob;
        task.index = _narrowIndex(taskId, index);
        emit ITasks.TaskInitialize(taskId, address(bytes20(Blob.wordAt(blob, DealLib.WORKERPOOL_OFFSET))));
    }

    /// @dev Fills in a deal that exists.
    function _readExisting(bytes32 dealId, Deal memory deal) internal view returns (uint256 timeref) {
        timeref = _readDeal(dealId, deal);
        require(deal.app.pointer != address(0), ITasks.UnknownDeal(dealId));
    }

    /// @dev Makes sure that the task of the deal is active and nobody has contributed to it.
    function _begin(bytes32 dealId, Deal memory deal, uint256 index) internal returns (bytes32 taskId) {
        taskId = _taskIdOf(dealId, index);
        TaskState storage task = _tasks[taskId];
        if (task.status == TaskStatus.UNSET) {
            _checkIndex(dealId, index, deal.botFirst, deal.botSize);
            _activate(taskId, _deals[dealId].blob, index);
        }
        _checkSole(taskId, task, deal.trust);
    }

    function _checkIndex(bytes32 dealId, uint256 index, uint256 first, uint256 size) internal pure {
        require(index >= first && index - first < size, ITasks.IndexOutOfDeal(dealId, index, first, size));
    }

    /// @dev One worker is enough. While an active task of trust 1 was never reopened, nobody has contributed: a first
    /// contribution would have been agreed on at once.
    function _checkSole(bytes32 taskId, TaskState storage task, uint256 trust) internal view {
        require(task.status == TaskStatus.ACTIVE, ITasks.WrongStatus(taskId, task.status));
        require(trust == 1, ITasks.TrustNotOne(taskId, trust));
        require(!task.reopened, ITasks.HasContributions(taskId));
    }

    /* CHECKS */

    function _checkContributing(bytes32 taskId, Deal memory deal, uint256 timeref) internal view {
        uint256 deadline = deal.startTime + CONTRIBUTION_DEADLINE_RATIO * timeref;
        require(block.timestamp < deadline, ITasks.DeadlinePassed(taskId, deadline));
    }

    function _checkCallbackData(
        bytes32 taskId,
        address callback,
        bytes32 resultDigest,
        bytes calldata resultsCallback
    ) internal pure {
        if (callback == address(0) && resultsCallback.length == 0) return;
        bytes32 callbackHash = keccak256(resultsCallback);
        require(callbackHash == resultDigest, ITasks.WrongCallbackData(taskId, resultDigest, callbackHash));
    }

    /// @dev The pool, or the TEE broker in its place, lets this worker and enclave do the task.
    function _checkAuthorization(
        Vault memory vault,
        Deal memory deal,
        bytes32 taskId,
        address worker,
        address enclaveChallenge,
        bytes calldata authorizationSign
    ) internal view {
        require(enclaveChallenge != address(0) || !deal.tag.needsEnclave(), ITasks.EnclaveRequired(taskId));
        bool brokered = vault.hasTeeBroker && enclaveChallenge != address(0);
        address authorizer = brokered ? _settings.teeBroker : deal.workerpool.owner;
        bytes32 message = keccak256(abi.encodePacked(worker, taskId, enclaveChallenge));
        require(
            _isSignedMessage(authorizer, message, authorizationSign),
            ITasks.NotAuthorized(taskId, worker, enclaveChallenge, authorizer)
        );
    }

    /// @dev The enclave, where there is one, found the result.
    function _checkEnclave(
        bytes32 taskId,
        bytes32 resultHash,
        bytes32 resultSeal,
        address enclaveChallenge,
        bytes calldata enclaveSign
    ) internal view {
        if (enclaveChallenge == address(0)) return;
        bytes32 message = keccak256(abi.encodePacked(resultHash, resultSeal));
        bool signed = _isSignedMessage(enclaveChallenge, message, enclaveSign);
        require(signed, ITasks.NotSignedByEnclave(taskId, enclaveChallenge));
    }

    /// @dev The enclave found that there can be no result.
    function _checkFailure(
        bytes32 taskId,
        address worker,
        uint256 cause,
        address enclaveChallenge,
        bytes calldata enclaveSign
    ) internal view {
        require(enclaveChallenge != address(0), ITasks.EnclaveRequired(taskId));
        bytes32 message = keccak256(abi.encode(TASK_FAILURE_TYPEHASH, taskId, worker, cause));
        bool signed = _isSignedMessage(enclaveChallenge, message, enclaveSign);
        require(signed, ITasks.NotSignedByEnclave(taskId, enclaveChallenge));
    }

    /* PAYMENT */

    function _costOf(Deal memory deal, Resource[] memory attached) internal pure returns (uint256 cost) {
        cost = deal.app.price + deal.dataset.price + deal.workerpool.price;
        for (uint256 i = 0; i < attached.length; ++i) {
            cost += attached[i].price;
        }
    }

    /// @dev The payer's lock turns into what app and datasets earn; the price of the work is left to divide. The pool gets
    /// its stake back, and a share of the kitty.
    function _payAssets(Vault memory vault, Deal memory deal, bytes32 taskId) internal {
        Resource[] memory attached = _readDatasets(_tasks[taskId].datasets);
        _seize(deal.sponsor, _costOf(deal, attached), taskId);
        _payOwner(vault, deal.app, taskId);
        _payOwner(vault, deal.dataset, taskId);
        for (uint256 i = 0; i < attached.length; ++i) {
            _payOwner(vault, attached[i], taskId);
        }
        address poolOwner = deal.workerpool.owner;
        _unlock(vault, poolOwner, _stakeOf(deal));
        uint256 bonus = ShareLib.bonusOf(vault.kitty, KITTY_RATIO, KITTY_MIN, deal.workerpool.price);
        if (bonus > 0) _drawKitty(vault, poolOwner, bonus, taskId);
    }

    function _payOwner(Vault memory vault, Resource memory resource, bytes32 taskId) private {
        if (resource.price > 0) _reward(vault, resource.owner, resource.price, taskId);
    }

    function _refund(Vault memory vault, Deal memory deal, bytes32 taskId) internal {
        _unlock(vault, deal.sponsor, _costOf(deal, _readDatasets(_tasks[taskId].datasets)));
    }

    /* CALLBACK */

    /// @dev Whatever the callee does, the task stands; what it answers is not copied.
    function _callBack(address callback, bytes32 taskId, bytes calldata resultsCallback) internal {
        if (callback == address(0)) return;
        uint256 callbackGas = _settings.callbackGas;
        bytes memory data = abi.encodeCall(IOracleConsumer.receiveResult, (taskId, resultsCallback));
        // A 64th of the gas stays with the caller (EIP-150): the callee must get its due out of the rest.
        uint256 needed = callbackGas + callbackGas / 63 + CALL_COST;
        require(gasleft() > needed, ITasks.CallbackStarved(gasleft(), callbackGas));
        assembly ("memory-safe") {
            pop(call(callbackGas, callback, 0, add(data, 32), mload(data), 0, 0))
        }
    }
}
