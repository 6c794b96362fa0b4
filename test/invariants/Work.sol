// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Deal, TaskStatus} from "../../contracts/types/Deals.sol";
import {TasksChapter} from "./TasksChapter.sol";
import {vm} from "./Vm.sol";

/// @title Work
/// @notice What workers and enclaves hand in, sound or not: results, failures, and who allowed them to.
abstract contract Work is TasksChapter {
    uint256 private constant TRIES = 12;

    /// @dev `signed` tells whether enclave and authorizer stand behind it.
    struct Piece {
        bytes32 taskId;
        Deal deal;
        address worker;
        bytes32 digest;
        bytes results;
        bytes resultsCallback;
        address enclave;
        bytes enclaveSign;
        bytes authorizationSign;
        bool signed;
    }

    address internal _broker;
    uint256 internal _callbackGas = 200_000;

    /// @dev A piece of work for a task, without result and signatures yet.
    function _pieceFor(bytes32 taskId) internal returns (Piece memory p) {
        p.taskId = taskId;
        p.deal = _dealOf(taskId);
        p.worker = _someone();
        p.results = new bytes(_draw(120));
        bool needed = p.deal.tag & ENCLAVE != 0;
        bool has = needed ? !_chance(25) : _chance(3);
        if (has) p.enclave = vm.addr(ENCLAVE_KEY);
        p.signed = has || !needed;
    }

    /// @dev Callback data as the deal wants it, but for some mistakes.
    function _drawCallbackData(Piece memory p) internal {
        bool wanted = p.deal.callback != NOBODY;
        if (wanted ? !_chance(25) : _chance(8)) p.resultsCallback = abi.encodePacked(_draw(type(uint256).max));
    }

    /// @dev The pool's owner, or the broker where there is one, allows worker and enclave.
    function _authorize(Piece memory p) internal {
        bool brokered = _broker != NOBODY && p.enclave != NOBODY;
        uint256 key = _keyOf[brokered ? _broker : p.deal.workerpool.owner];
        if (_chance(25)) {
            key = STRANGER_KEY;
            p.signed = false;
        }
        bytes32 message = keccak256(abi.encodePacked(p.worker, p.taskId, p.enclave));
        p.authorizationSign = _sign(key, MessageHashUtils.toEthSignedMessageHash(message));
    }

    function _seal(Piece memory p) internal {
        bytes32 hash = keccak256(abi.encodePacked(p.taskId, p.digest));
        bytes32 seal = keccak256(abi.encodePacked(p.worker, p.taskId, p.digest));
        _signInEnclave(p, keccak256(abi.encodePacked(hash, seal)));
    }

    function _signInEnclave(Piece memory p, bytes32 message) internal {
        if (p.enclave == NOBODY) return;
        uint256 key = ENCLAVE_KEY;
        if (_chance(25)) {
            key = STRANGER_KEY;
            p.signed = false;
        }
        p.enclaveSign = _sign(key, MessageHashUtils.toEthSignedMessageHash(message));
    }

    /// @dev Whether one worker may end the task now.
    function _takesOne(bytes32 taskId) internal view returns (bool) {
        TaskGhost storage task = _tasks[taskId];
        return task.sole && !task.reopened && _now < task.contributionDeadline;
    }

    /// @dev Whether the callback, if there is one, can be given its gas.
    function _canCallBack(Deal memory deal) internal view returns (bool) {
        return deal.callback == NOBODY || _callbackGas < type(uint64).max;
    }

    /// @dev Mostly a task that one worker may end, at times any other.
    function _soleTask(TaskStatus wanted) internal returns (bytes32) {
        if (_taskIds.length > 0 && _chance(10)) return _taskIds[_draw(_taskIds.length)];
        uint256 start = _draw(_taskIds.length + 1);
        for (uint256 i = start; i < _taskIds.length && i < start + TRIES; ++i) {
            bytes32 taskId = _taskIds[i];
            if (_tasks[taskId].status == wanted && _takesOne(taskId)) return taskId;
        }
        Wishes memory wishes = Wishes(true, _chance(2), _chance(2), true);
        if (wanted == TaskStatus.ACTIVE) return _newTask(wishes);
        bytes32 dealId = _openDeal(wishes);
        return dealId == 0 ? bytes32(0) : _touch(dealId, hub.viewDeal(dealId).botFirst);
    }
}
