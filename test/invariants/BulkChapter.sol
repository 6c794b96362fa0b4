// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IBulk} from "../../contracts/interfaces/IBulk.sol";
import {Deal, Resource, TaskStatus} from "../../contracts/types/Deals.sol";
import {DatasetOrder, OrderKind, RequestOrder} from "../../contracts/types/Orders.sol";
import {AssetsChapter} from "./AssetsChapter.sol";

/// @title BulkChapter
/// @notice Attaches datasets to tasks: by the payer and by others, in time and too late, the same order more than once.
abstract contract BulkChapter is AssetsChapter {
    uint256 private constant TRIES = 8;

    struct Attachment {
        bytes32 taskId;
        Deal deal;
        DatasetOrder[] orders;
        address caller;
        uint256 total;
        uint256 maxPrice;
        bool allowed;
    }

    function attachDatasets(uint256 seed) external action(seed) {
        Attachment memory a;
        a.taskId = _taskToAttachTo();
        if (a.taskId == 0) return;
        a.deal = _dealOf(a.taskId);
        a.orders = new DatasetOrder[](_draw(4));
        for (uint256 i = 0; i < a.orders.length; ++i) {
            a.orders[i] = i > 0 && _chance(3) ? a.orders[i - 1] : _orderFor(a.deal);
            a.total += a.orders[i].datasetprice;
        }
        a.caller = _chance(12) ? _someone() : a.deal.sponsor;
        a.maxPrice = _chance(12) ? a.total / 2 : a.total + _draw(2);
        _attach(a);
    }

    function _attach(Attachment memory a) private {
        TaskGhost storage task = _tasks[a.taskId];
        a.allowed = a.caller == a.deal.sponsor && a.deal.dataset.pointer == NOBODY;
        a.allowed = a.allowed && task.status == TaskStatus.UNSET && !task.attached;
        a.allowed = a.allowed && a.total <= a.maxPrice && a.total <= _free[a.deal.sponsor] && _allUsable(a);
        bytes memory data = abi.encodeCall(IBulk.attachDatasets, (task.dealId, task.index, a.orders, a.maxPrice));
        _actIf(a.allowed, a.caller, data);
        // Attaching nothing leaves the task as it was.
        if (!a.allowed || a.orders.length == 0) return;

        ++_blobs;
        task.attached = true;
        _bookLockFor(a.taskId, a.deal.sponsor, a.total);
        for (uint256 i = 0; i < a.orders.length; ++i) {
            DatasetOrder memory order = a.orders[i];
            address owner = _ownerOf(OrderKind.DATASET, order.dataset);
            _attached[a.taskId].push(Resource(order.dataset, owner, order.datasetprice));
            ++_kept[_hash(order)].consumed;
        }
        for (uint256 i = 0; i < a.orders.length; ++i) {
            _checkVolume(_hash(a.orders[i]));
        }
    }

    function _allUsable(Attachment memory a) private view returns (bool) {
        for (uint256 i = 0; i < a.orders.length; ++i) {
            DatasetOrder memory order = a.orders[i];
            bytes32 orderHash = _hash(order);
            bytes32 tag = order.tag & ~ENCLAVE_KINDS;
            if (!_isAlive(orderHash) || tag & ~a.deal.tag != 0) return false;
            if (!_datasetAdmits(order, a.deal.app.pointer, a.deal.workerpool.pointer, a.deal.requester)) return false;
            uint256 uses;
            for (uint256 j = 0; j < a.orders.length; ++j) {
                if (_hash(a.orders[j]) == orderHash) ++uses;
            }
            if (uses > _left(orderHash)) return false;
        }
        return true;
    }

    /// @dev Mostly a new order that fits, else one that is there.
    function _orderFor(Deal memory deal) private returns (DatasetOrder memory) {
        if (_datasetOrders.length > 0 && _chance(4)) return _datasetOrders[_draw(_datasetOrders.length)];
        RequestOrder memory request;
        request.app = deal.app.pointer;
        request.dataset = _datasets[_draw(_datasets.length)];
        request.datasetmaxprice = _draw(1e9);
        request.requester = deal.requester;
        request.volume = 3;
        request.tag = deal.tag & ENCLAVE;
        return _datasetFor(request);
    }

    function _taskToAttachTo() private returns (bytes32) {
        if (_taskIds.length > 0 && _chance(6)) return _taskIds[_draw(_taskIds.length)];
        uint256 start = _draw(_taskIds.length + 1);
        for (uint256 i = start; i < _taskIds.length && i < start + TRIES; ++i) {
            TaskGhost storage task = _tasks[_taskIds[i]];
            bool fits = task.status == TaskStatus.UNSET && !task.attached;
            if (fits && _dealOf(_taskIds[i]).dataset.pointer == NOBODY) return _taskIds[i];
        }
        bytes32 dealId = _openDeal(Wishes(_chance(2), _chance(2), true, true));
        return dealId == 0 ? bytes32(0) : _touch(dealId, hub.viewDeal(dealId).botFirst);
    }
}
