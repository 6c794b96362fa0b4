// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {ITasks} from "../../contracts/interfaces/ITasks.sol";
import {Deal, TaskStatus} from "../../contracts/types/Deals.sol";
import {BulkChapter} from "./BulkChapter.sol";
import {vm} from "./Vm.sol";

/// @title TasksChapter
/// @notice Initializes and claims tasks, one or several at once, some that must not be; and lets time pass.
abstract contract TasksChapter is BulkChapter {
    uint256 private constant TRIES = 12;
    /// @dev Past it the Hub's clock, of 40 bits, would have to run for ever.
    uint256 private constant LIFETIME = 1 << 36;

    /* TIME */

    function waitAWhile(uint256 seed) external action(seed) {
        _wait(_draw(400));
    }

    function _wait(uint256 time) internal {
        _now += time;
        vm.warp(_now);
    }

    function _waitUntil(uint256 time) internal {
        if (time > _now && time < _now + LIFETIME) _wait(time - _now);
    }

    /* INITIALIZATION */

    function initialize(uint256 seed) external action(seed) {
        (bytes32 dealId, uint256 index) = _place();
        if (dealId == 0) return;
        bool allowed = _isNew(dealId, index);
        _actIf(allowed, _someone(), abi.encodeCall(ITasks.initialize, (dealId, index)));
        if (allowed) _become(_touch(dealId, index), TaskStatus.ACTIVE);
    }

    function initializeArray(uint256 seed) external action(seed) {
        (bytes32[] memory dealIds, uint256[] memory indexes, bool allowed) = _places();
        _actIf(allowed, _someone(), abi.encodeCall(ITasks.initializeArray, (dealIds, indexes)));
        for (uint256 i = 0; allowed && i < dealIds.length; ++i) {
            _become(_touch(dealIds[i], indexes[i]), TaskStatus.ACTIVE);
        }
    }

    /// @dev Whether the deal has that task, and nobody has begun it.
    function _isNew(bytes32 dealId, uint256 index) internal view returns (bool) {
        if (_dealPrints[dealId] == 0) return false;
        Deal memory deal = hub.viewDeal(dealId);
        if (index < deal.botFirst || index - deal.botFirst >= deal.botSize) return false;
        return _tasks[_taskIdOf(dealId, index)].status == TaskStatus.UNSET;
    }

    /// @dev A task, begun or not, or one that the deal does not have, or of no deal.
    function _place() private returns (bytes32 dealId, uint256 index) {
        dealId = _dealIds.length > 0 && _chance(2) ? _dealIds[_draw(_dealIds.length)] : _openDeal(_anyWishes());
        if (dealId == 0) return (0, 0);
        Deal memory deal = hub.viewDeal(dealId);
        index = deal.botFirst + _draw(deal.botSize);
        if (_chance(20)) index = deal.botFirst + deal.botSize;
        if (_chance(20) && deal.botFirst > 0) index = deal.botFirst - 1;
        if (_chance(30)) dealId = bytes32(_draw(9));
    }

    function _places() private returns (bytes32[] memory dealIds, uint256[] memory indexes, bool allowed) {
        uint256 count = _draw(3);
        dealIds = new bytes32[](count);
        indexes = new uint256[](_chance(20) ? count + 1 : count);
        allowed = indexes.length == count;
        for (uint256 i = 0; i < count; ++i) {
            (dealIds[i], indexes[i]) = _place();
            bool again = i == 1 && dealIds[0] == dealIds[1] && indexes[0] == indexes[1];
            allowed = allowed && !again && _isNew(dealIds[i], indexes[i]);
        }
    }

    /* CLAIM */

    function claim(uint256 seed) external action(seed) {
        bytes32 taskId = _taskToClaim();
        if (taskId == 0) return;
        bool allowed = _isOver(taskId);
        _actIf(allowed, _someone(), abi.encodeCall(ITasks.claim, (taskId)));
        if (allowed) _bookClaim(taskId);
    }

    function claimArray(uint256 seed) external action(seed) {
        bytes32[] memory taskIds = new bytes32[](1 + _draw(3));
        bool allowed = true;
        for (uint256 i = 0; i < taskIds.length; ++i) {
            taskIds[i] = _taskToClaim();
            allowed = allowed && taskIds[i] != 0;
        }
        // Time passed while they were chosen.
        for (uint256 i = 0; i < taskIds.length; ++i) {
            bool again = (i > 0 && taskIds[i] == taskIds[i - 1]) || (i > 1 && taskIds[i] == taskIds[i - 2]);
            allowed = allowed && !again && _isOver(taskIds[i]);
        }
        _actIf(allowed, _someone(), abi.encodeCall(ITasks.claimArray, (taskIds)));
        for (uint256 i = 0; allowed && i < taskIds.length; ++i) {
            _bookClaim(taskIds[i]);
        }
    }

    function initializeAndClaimArray(uint256 seed) external action(seed) {
        (bytes32[] memory dealIds, uint256[] memory indexes, bool allowed) = _places();
        for (uint256 i = 0; i < dealIds.length; ++i) {
            if (_dealPrints[dealIds[i]] == 0) continue;
            if (!_chance(8)) _waitUntil(_endOf(dealIds[i]));
        }
        for (uint256 i = 0; i < dealIds.length; ++i) {
            allowed = allowed && _now >= _endOf(dealIds[i]);
        }
        _actIf(allowed, _someone(), abi.encodeCall(ITasks.initializeAndClaimArray, (dealIds, indexes)));
        for (uint256 i = 0; allowed && i < dealIds.length; ++i) {
            bytes32 taskId = _touch(dealIds[i], indexes[i]);
            _tasks[taskId].status = TaskStatus.ACTIVE;
            _bookClaim(taskId);
        }
    }

    /// @dev The payer is refunded, the pool's stake goes to the kitty, workers get theirs back, whatever they said.
    function _bookClaim(bytes32 taskId) internal {
        Deal memory deal = _dealOf(taskId);
        uint256 stake = _stakeOf(deal.workerpool.price);
        _bookRefund(taskId, deal);
        _bookSeize(deal.workerpool.owner, stake);
        _bookToKitty(taskId, stake);
        address[] storage contributors = _contributors[taskId];
        for (uint256 i = 0; i < contributors.length; ++i) {
            _bookUnlock(taskId, contributors[i], deal.workerStake);
        }
        _end(taskId, TaskStatus.FAILED);
    }

    function _endOf(bytes32 dealId) private view returns (uint256) {
        return hub.viewDeal(dealId).startTime + 10 * _timerefOf[dealId];
    }

    function _isOver(bytes32 taskId) internal view returns (bool) {
        return _isOpen(taskId) && _now >= _tasks[taskId].finalDeadline;
    }

    /// @dev Mostly one that is open, mostly after its final deadline.
    function _taskToClaim() private returns (bytes32 taskId) {
        taskId = _chance(8) ? bytes32(_draw(9)) : _openTask();
        if (taskId != 0 && !_chance(5)) _waitUntil(_tasks[taskId].finalDeadline);
    }

    function _openTask() private returns (bytes32) {
        uint256 start = _draw(_taskIds.length + 1);
        for (uint256 i = start; i < _taskIds.length && i < start + TRIES; ++i) {
            if (_isOpen(_taskIds[i])) return _taskIds[i];
        }
        return _newTask(_anyWishes());
    }

    /// @dev An active task of a new deal; none if the deal could not be made.
    function _newTask(Wishes memory wishes) internal returns (bytes32 taskId) {
        bytes32 dealId = _openDeal(wishes);
        if (dealId == 0) return 0;
        uint256 index = hub.viewDeal(dealId).botFirst;
        _actIf(true, _someone(), abi.encodeCall(ITasks.initialize, (dealId, index)));
        taskId = _touch(dealId, index);
        _become(taskId, TaskStatus.ACTIVE);
    }
}
