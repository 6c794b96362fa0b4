// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {IEscrow} from "../interfaces/IEscrow.sol";
import {IOracleConsumer} from "../interfaces/IOracleConsumer.sol";
import {ITasks} from "../interfaces/ITasks.sol";
import {ProofLib} from "../libraries/ProofLib.sol";
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

    /// @dev The pool's stake and the worker's reward for one task of a deal; then what tasks of it bring to whom, announced
    /// by events and not yet written: what the payer loses, app and dataset earn, the pool gets back and earns, and the
    /// worker of the latest of them earns.
    struct Payout {
        uint256 stake;
        uint256 workerReward;
        uint256 seized;
        uint256 app;
        uint256 dataset;
        uint256 unlocked;
        uint256 pool;
        address worker;
        uint256 work;
    }

    /* BEGINNING */

    /// @dev Fills in a deal that exists.
    function _readExisting(bytes32 dealId, Deal memory deal) internal view returns (uint256 timeref) {
        timeref = _readDeal(dealId, deal);
        require(deal.app.pointer != address(0), ITasks.UnknownDeal(dealId));
    }

    /// @dev The task of a deal and its blob, active and without contributions; still to be stored.
    function _begin(
        bytes32 dealId,
        Deal memory deal,
        uint40 blob,
        bytes32 taskId,
        uint256 index
    ) internal returns (TaskState memory task) {
        task = _tasks[taskId];
        if (task.status == TaskStatus.UNSET) {
            _checkIndex(dealId, index, deal.botFirst, deal.botSize);
            task.status = TaskStatus.ACTIVE;
            task.deal = blob;
            task.index = _narrowIndex(taskId, index);
            emit ITasks.TaskInitialize(taskId, deal.workerpool.pointer);
        }
        _checkSole(taskId, task, deal.trust);
    }

    function _checkIndex(bytes32 dealId, uint256 index, uint256 first, uint256 size) internal pure {
        require(index >= first && index - first < size, ITasks.IndexOutOfDeal(dealId, index, first, size));
    }

    /// @dev One worker is enough. While an active task of trust 1 was never reopened, nobody has contributed: a first
    /// contribution would have been agreed on at once.
    function _checkSole(bytes32 taskId, TaskState memory task, uint256 trust) internal pure {
        require(task.status == TaskStatus.ACTIVE, ITasks.WrongStatus(taskId, task.status));
        require(trust == 1, ITasks.TrustNotOne(taskId, trust));
        require(!task.reopened, ITasks.HasContributions(taskId));
    }

    /* CHECKS */

    /// @dev Until when contributions to the tasks of a deal are taken (unix seconds).
    function _contributionDeadlineOf(Deal memory deal, uint256 timeref) internal pure returns (uint256) {
        return deal.startTime + CONTRIBUTION_DEADLINE_RATIO * timeref;
    }

    function _checkBefore(bytes32 taskId, uint256 deadline) internal view {
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
        bytes32 message = ProofLib.authorizationOf(worker, taskId, enclaveChallenge);
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
        _checkSignedByEnclave(taskId, Hashes.efficientKeccak256(resultHash, resultSeal), enclaveChallenge, enclaveSign);
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
        _checkSignedByEnclave(taskId, message, enclaveChallenge, enclaveSign);
    }

    function _checkSignedByEnclave(
        bytes32 taskId,
        bytes32 message,
        address enclaveChallenge,
        bytes calldata enclaveSign
    ) internal view {
        bool signed = _isSignedMessage(enclaveChallenge, message, enclaveSign);
        require(signed, ITasks.NotSignedByEnclave(taskId, enclaveChallenge));
    }

    /* PAYMENT */

    /// @dev What a task costs, with what was attached to it.
    function _costOf(Deal memory deal, uint40 datasets) private view returns (uint256 cost) {
        cost = deal.app.price + deal.dataset.price + deal.workerpool.price;
        if (datasets == 0) return cost;
        Resource[] memory attached = _readDatasets(datasets);
        for (uint256 i = 0; i < attached.length; ++i) {
            cost += attached[i].price;
        }
    }

    function _payoutOf(Deal memory deal) internal pure returns (Payout memory payout) {
        payout.stake = _stakeOf(deal);
        payout.workerReward = ShareLib.percentOf(deal.workerpool.price, 100 - deal.schedulerRewardRatio);
    }

    /// @dev The payer's lock turns into what app and datasets earn; the price of the work is left to divide. The pool gets
    /// its stake back, and a share of the kitty.
    function _payAssets(
        Vault memory vault,
        Deal memory deal,
        Payout memory payout,
        bytes32 taskId,
        uint40 datasets
    ) internal {
        uint256 cost = _costOf(deal, datasets);
        payout.seized += cost;
        emit IEscrow.Seize(deal.sponsor, cost, taskId);
        payout.app += _announce(deal.app.owner, deal.app.price, taskId);
        payout.dataset += _announce(deal.dataset.owner, deal.dataset.price, taskId);
        if (datasets != 0) _payAttached(vault, datasets, taskId);
        address poolOwner = deal.workerpool.owner;
        payout.unlocked += payout.stake;
        _emitUnlock(poolOwner, payout.stake);
        if (vault.kitty == 0) return;
        uint256 bonus = ShareLib.bonusOf(vault.kitty, KITTY_RATIO, KITTY_MIN, deal.workerpool.price);
        if (bonus == 0) return;
        vault.kitty -= uint96(bonus);
        emit IEscrow.Seize(KITTY_ADDRESS, bonus, taskId);
        payout.pool += _announce(poolOwner, bonus, taskId);
    }

    function _payAttached(Vault memory vault, uint40 datasets, bytes32 taskId) private {
        Resource[] memory attached = _readDatasets(datasets);
        for (uint256 i = 0; i < attached.length; ++i) {
            if (attached[i].price > 0) _reward(vault, attached[i].owner, attached[i].price, taskId);
        }
    }

    /// @dev One worker did all of the work.
    function _payWorker(
        Vault memory vault,
        Deal memory deal,
        Payout memory payout,
        bytes32 taskId,
        address worker
    ) internal {
        uint256 price = deal.workerpool.price;
        uint256 reward = payout.workerReward;
        if (worker != payout.worker) _payOut(vault, payout, worker);
        payout.work += reward;
        _emitReward(worker, reward, taskId);
        payout.pool += price - reward;
        _emitReward(deal.workerpool.owner, price - reward, taskId);
    }

    /// @dev A price of nothing is not worth an event.
    function _announce(address account, uint256 amount, bytes32 taskId) private returns (uint256) {
        if (amount > 0) _emitReward(account, amount, taskId);
        return amount;
    }

    /// @dev The worker of the tasks before gets its due; the next one is `worker`.
    function _payOut(Vault memory vault, Payout memory payout, address worker) private {
        if (payout.work > 0) _credit(vault, payout.worker, payout.work);
        payout.worker = worker;
        payout.work = 0;
    }

    /// @dev Writes what was announced. Accounts may be the same: each is read when it is written.
    function _payOut(Vault memory vault, Deal memory deal, Payout memory payout) internal {
        _accounts[deal.sponsor].frozen -= uint96(payout.seized);
        if (payout.app > 0) _credit(vault, deal.app.owner, payout.app);
        if (payout.dataset > 0) _credit(vault, deal.dataset.owner, payout.dataset);
        _payOut(vault, payout, address(0));
        _release(vault, deal.workerpool.owner, payout.unlocked, payout.pool);
    }

    function _refund(Vault memory vault, Deal memory deal, uint40 datasets) internal {
        _unlock(vault, deal.sponsor, _costOf(deal, datasets));
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
