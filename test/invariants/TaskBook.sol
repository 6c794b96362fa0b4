// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Deal, Resource, TaskStatus} from "../../contracts/types/Deals.sol";
import {MatchRules} from "./MatchRules.sol";

/// @title TaskBook
/// @notice All deals that were made and all tasks that were looked at, and what each of them should be.
abstract contract TaskBook is MatchRules {
    /// @notice Thrown when a task has another status than the rules say.
    error WrongStatus(bytes32 taskId, TaskStatus expected, TaskStatus found);

    enum Word {
        NONE,
        GIVEN,
        PROVED,
        REJECTED
    }

    /// @dev What a worker said of a task; `sealed_` tells whether the seal is that of the digest.
    struct Said {
        Word word;
        bytes32 digest;
        bool sealed_;
        uint256 weight;
    }

    struct TaskGhost {
        bytes32 dealId;
        uint256 index;
        TaskStatus status;
        bool sole;
        bool reopened;
        bool attached;
        uint256 contributionDeadline;
        uint256 finalDeadline;
        uint256 revealDeadline;
        bytes32 agreed;
        uint256 winners;
        uint256 revealed;
        /// The task as it ended.
        bytes32 ending;
    }

    bytes32[] internal _dealIds;
    mapping(bytes32 dealId => bytes32) internal _dealPrints;
    mapping(bytes32 dealId => uint256) internal _timerefOf;
    bytes32[] internal _taskIds;
    bytes32[] internal _endedTasks;
    mapping(bytes32 taskId => TaskGhost) internal _tasks;
    mapping(bytes32 taskId => Resource[]) internal _attached;
    mapping(bytes32 taskId => address[]) internal _contributors;
    mapping(bytes32 taskId => mapping(address worker => Said)) internal _said;
    mapping(address worker => uint256) internal _scores;

    function _taskIdOf(bytes32 dealId, uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(dealId, index));
    }

    /// @dev A task that nobody looked at yet takes its part of what was locked for the deal.
    function _touch(bytes32 dealId, uint256 index) internal returns (bytes32 taskId) {
        taskId = _taskIdOf(dealId, index);
        TaskGhost storage task = _tasks[taskId];
        if (task.dealId != 0) return taskId;
        Deal memory deal = hub.viewDeal(dealId);
        task.dealId = dealId;
        task.index = index;
        task.sole = deal.trust == 1;
        task.contributionDeadline = deal.startTime + 7 * _timerefOf[dealId];
        task.finalDeadline = deal.startTime + 10 * _timerefOf[dealId];
        _heldFor[taskId] = _costOf(deal) + _stakeOf(deal.workerpool.price);
        _taskIds.push(taskId);
    }

    function _costOf(Deal memory deal) internal pure returns (uint256) {
        return deal.app.price + deal.dataset.price + deal.workerpool.price;
    }

    function _attachedCost(bytes32 taskId) internal view returns (uint256 cost) {
        Resource[] storage attached = _attached[taskId];
        for (uint256 i = 0; i < attached.length; ++i) {
            cost += attached[i].price;
        }
    }

    function _dealOf(bytes32 taskId) internal view returns (Deal memory) {
        return hub.viewDeal(_tasks[taskId].dealId);
    }

    function _become(bytes32 taskId, TaskStatus status) internal {
        _tasks[taskId].status = status;
        TaskStatus found = hub.viewTask(taskId).status;
        require(found == status, WrongStatus(taskId, status, found));
    }

    /// @dev Nothing is left of what was locked for it, and from now on it stays as it is.
    function _end(bytes32 taskId, TaskStatus status) internal {
        _become(taskId, status);
        _bookEnd(taskId);
        _tasks[taskId].ending = _printOf(taskId);
        _endedTasks.push(taskId);
    }

    function _printOf(bytes32 taskId) internal view returns (bytes32) {
        return keccak256(abi.encode(hub.viewTask(taskId)));
    }

    function _isOpen(bytes32 taskId) internal view returns (bool) {
        TaskStatus status = _tasks[taskId].status;
        return status == TaskStatus.ACTIVE || status == TaskStatus.REVEALING;
    }

    /* PAYMENT */

    /// @dev What the payer locked goes to the owners; the pool gets its stake back, and a bonus out of the kitty.
    function _bookAssets(bytes32 taskId, Deal memory deal) internal {
        _bookSeize(deal.sponsor, _costOf(deal) + _attachedCost(taskId));
        _bookReward(taskId, deal.app.owner, deal.app.price);
        _bookReward(taskId, deal.dataset.owner, deal.dataset.price);
        Resource[] storage attached = _attached[taskId];
        for (uint256 i = 0; i < attached.length; ++i) {
            _bookReward(taskId, attached[i].owner, attached[i].price);
        }
        _bookUnlock(taskId, deal.workerpool.owner, _stakeOf(deal.workerpool.price));
        _bookFromKitty(deal.workerpool.owner, _bonusFor(deal.workerpool.price));
    }

    function _bookSole(bytes32 taskId, Deal memory deal, address worker) internal {
        _bookAssets(taskId, deal);
        uint256 reward = (deal.workerpool.price * (100 - deal.schedulerRewardRatio)) / 100;
        _bookReward(taskId, worker, reward);
        _bookReward(taskId, deal.workerpool.owner, deal.workerpool.price - reward);
    }

    function _bookRefund(bytes32 taskId, Deal memory deal) internal {
        _bookUnlock(taskId, deal.sponsor, _costOf(deal) + _attachedCost(taskId));
    }

    /// @dev A tenth of the kitty, at least one token, at most the kitty and the price of the work.
    function _bonusFor(uint256 price) private view returns (uint256 bonus) {
        bonus = _kitty / 10;
        if (bonus < 1e9) bonus = 1e9;
        bonus = _min(_min(bonus, _kitty), price);
    }
}
