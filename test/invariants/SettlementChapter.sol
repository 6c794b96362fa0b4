// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IFailures} from "../../contracts/interfaces/IFailures.sol";
import {ITasks} from "../../contracts/interfaces/ITasks.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Deal, Settlement, TaskStatus} from "../../contracts/types/Deals.sol";
import {Work} from "./Work.sol";

/// @title SettlementChapter
/// @notice One worker ends a task, or many tasks at once, with a result or an attested failure; callbacks call back in.
abstract contract SettlementChapter is Work {
    /// @notice Thrown when a call back into the Hub went through that must not.
    error Reentered(bytes data);

    bytes32 private constant RESULT = keccak256("TaskResult(bytes32 taskid,address worker,bytes32 resultDigest)");
    bytes32 private constant FAILURE = keccak256("TaskFailure(bytes32 taskid,address worker,uint256 cause)");

    function contributeAndFinalize(uint256 seed) external action(seed) {
        bytes32 taskId = _soleTask(TaskStatus.ACTIVE);
        if (taskId == 0) return;
        Piece memory p = _pieceFor(taskId);
        _drawCallbackData(p);
        p.digest = p.resultsCallback.length > 0 || _chance(2) ? keccak256(p.resultsCallback) : bytes32(_draw(9));
        bool sound = p.digest == keccak256(p.resultsCallback);
        sound = sound || (p.deal.callback == NOBODY && p.resultsCallback.length == 0);
        _authorize(p);
        _seal(p);
        bool allowed = p.signed && sound && _takesOne(taskId) && _canCallBack(p.deal);
        allowed = allowed && _tasks[taskId].status == TaskStatus.ACTIVE;
        _finish(p, allowed, p.worker, _finalCall(p));
    }

    function settle(uint256 seed) external action(seed) {
        bytes32 taskId = _soleTask(_chance(2) ? TaskStatus.UNSET : TaskStatus.ACTIVE);
        if (taskId == 0) return;
        (Piece memory p, Settlement memory s) = _settlementFor(taskId, _someone());
        address caller = _chance(2) ? p.worker : _someone();
        bool allowed = _maySettle(p, caller) && _canCallBack(p.deal);
        bytes memory data = _settleCall(_tasks[taskId].dealId, s);
        _finish(p, allowed, caller, data);
    }

    function settleBatch(uint256 seed) external action(seed) {
        bytes32 taskId = _soleTask(TaskStatus.UNSET);
        if (taskId == 0) return;
        bytes32 dealId = _tasks[taskId].dealId;
        Deal memory deal = hub.viewDeal(dealId);
        uint256 count = _chance(12) ? 0 : 1 + _draw(_min(3, deal.botSize));
        Settlement[] memory settlements = new Settlement[](count);
        Piece[] memory pieces = new Piece[](count);
        address caller = _someone();
        bool allowed = _canCallBack(deal) && count > 0;
        for (uint256 i = 0; i < count; ++i) {
            // At times the same task twice.
            uint256 index = deal.botFirst + (_chance(20) ? 0 : i);
            // Often the same worker as before.
            address worker = i > 0 && !_chance(3) ? pieces[i - 1].worker : _someone();
            (pieces[i], settlements[i]) = _settlementFor(_touch(dealId, index), worker);
            allowed = allowed && _maySettle(pieces[i], caller) && index == deal.botFirst + i;
        }
        bytes memory data = abi.encodeCall(ITasks.settleBatch, (dealId, settlements));
        uint256 amount = _arm(data, taskId);
        _actIf(allowed, caller, data);
        if (allowed) {
            ++_blobs;
            for (uint256 i = 0; i < count; ++i) {
                _bookSole(pieces[i].taskId, deal, pieces[i].worker);
                _end(pieces[i].taskId, TaskStatus.COMPLETED);
            }
        }
        _bookMeddling(amount);
    }

    function settleFailure(uint256 seed) external action(seed) {
        bytes32 taskId = _soleTask(_chance(2) ? TaskStatus.UNSET : TaskStatus.ACTIVE);
        if (taskId == 0) return;
        Piece memory p = _pieceFor(taskId);
        uint256 cause = _draw(40);
        _authorize(p);
        _signInEnclave(p, keccak256(abi.encode(FAILURE, taskId, p.worker, cause)));
        TaskGhost storage task = _tasks[taskId];
        bool allowed = p.signed && p.enclave != NOBODY && _takesOne(taskId) && task.status <= TaskStatus.ACTIVE;
        bytes memory data = abi.encodeCall(
            IFailures.settleFailure,
            (task.dealId, task.index, p.worker, cause, p.enclave, p.enclaveSign, p.authorizationSign)
        );
        _actIf(allowed, _someone(), data);
        if (!allowed) return;
        _bookRefund(taskId, p.deal);
        _bookUnlock(taskId, p.deal.workerpool.owner, _stakeOf(p.deal.workerpool.price));
        _end(taskId, TaskStatus.FAILED);
    }

    /* CALLS */

    /// @dev One task; its callback tries to do something meanwhile.
    function _finish(Piece memory p, bool allowed, address caller, bytes memory data) private {
        uint256 amount = _arm(data, p.taskId);
        _actIf(allowed, caller, data);
        if (allowed) {
            ++_blobs;
            _bookSole(p.taskId, p.deal, p.worker);
            _end(p.taskId, TaskStatus.COMPLETED);
        }
        _bookMeddling(amount);
    }

    /// @dev The contract among the actors will move `amount` of its own, which it may, or do what must fail.
    function _arm(bytes memory data, bytes32 taskId) internal returns (uint256 amount) {
        uint256 kind = _draw(4);
        amount = kind < 2 ? 1 + _draw(1e9) : 0;
        if (kind == 0) data = abi.encodeCall(IERC20.transfer, (_actors[0], amount));
        if (kind == 1) data = abi.encodeCall(IERC20.transfer, (_actors[0], amount));
        if (kind == 3) data = abi.encodeCall(ITasks.claim, (taskId));
        _busybody.arm(address(hub), kind == 1 ? _wrap(data) : data);
    }

    function _bookMeddling(uint256 amount) internal {
        _busybody.disarm();
        if (!_busybody.meddled()) return;
        require(amount > 0, Reentered(""));
        _bookMove(_actors[BUSYBODY], _actors[0], amount);
    }

    function _settlementFor(bytes32 taskId, address worker) private returns (Piece memory p, Settlement memory s) {
        p = _pieceFor(taskId);
        p.worker = worker;
        _drawCallbackData(p);
        bytes32 output = bytes32(_draw(9));
        p.digest = keccak256(abi.encode(output, keccak256(p.results), keccak256(p.resultsCallback)));
        _authorize(p);
        if (p.enclave != NOBODY && _chance(25)) {
            // What it would sign for contributeAndFinalize.
            _seal(p);
            p.signed = false;
        } else {
            _signInEnclave(p, keccak256(abi.encode(RESULT, p.taskId, p.worker, p.digest)));
        }
        s = Settlement(
            _tasks[taskId].index,
            p.worker,
            output,
            p.results,
            p.resultsCallback,
            p.enclave,
            p.enclaveSign,
            p.authorizationSign
        );
    }

    /// @dev Without an enclave, only the worker itself.
    function _maySettle(Piece memory p, address caller) private view returns (bool) {
        bool byRight = p.enclave != NOBODY || caller == p.worker;
        return p.signed && byRight && _takesOne(p.taskId) && _tasks[p.taskId].status <= TaskStatus.ACTIVE;
    }

    function _finalCall(Piece memory p) private pure returns (bytes memory) {
        return
            abi.encodeCall(
                ITasks.contributeAndFinalize,
                (p.taskId, p.digest, p.results, p.resultsCallback, p.enclave, p.enclaveSign, p.authorizationSign)
            );
    }

    function _settleCall(bytes32 dealId, Settlement memory s) private pure returns (bytes memory) {
        return
            abi.encodeCall(
                ITasks.settle,
                (
                    dealId,
                    s.idx,
                    s.worker,
                    s.outputDigest,
                    s.results,
                    s.resultsCallback,
                    s.enclaveChallenge,
                    s.enclaveSign,
                    s.authorizationSign
                )
            );
    }
}
