// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IBulk} from "../interfaces/IBulk.sol";
import {IDeals} from "../interfaces/IDeals.sol";
import {ITasks} from "../interfaces/ITasks.sol";
import {BulkLib} from "../libraries/BulkLib.sol";
import {OrderLib} from "../libraries/OrderLib.sol";
import {TagLib} from "../libraries/TagLib.sol";
import {Deal, Resource, TaskStatus} from "../types/Deals.sol";
import {DatasetOrder, OrderKind} from "../types/Orders.sol";
import {Completion} from "./Completion.sol";
import {Rules} from "./Rules.sol";

/// @title Bulk: tasks that use many datasets, each paid
abstract contract Bulk is IBulk, Completion, Rules {
    using OrderLib for DatasetOrder;
    using TagLib for bytes32;

    /// @inheritdoc IBulk
    function attachDatasets(bytes32 dealid, uint256 idx, DatasetOrder[] calldata orders, uint256 maxPrice) external {
        Deal memory deal;
        _readExisting(dealid, deal);
        bytes32 taskId = _taskIdOf(dealid, idx);
        TaskState storage task = _tasks[taskId];

        // Check: the payer, a task of a deal without dataset that is new and has nothing attached.
        address caller = _sender();
        require(caller == deal.sponsor, NotPayer(dealid, caller, deal.sponsor));
        require(deal.dataset.pointer == address(0), DealHasDataset(dealid, deal.dataset.pointer));
        _checkIndex(dealid, idx, deal.botFirst, deal.botSize);
        require(task.status == TaskStatus.UNSET, ITasks.WrongStatus(taskId, task.status));
        require(task.datasets == 0, AlreadyAttached(taskId));
        // Nothing attached must not use up the one call.
        if (orders.length == 0) return;

        // Check and effect: each order as in a match, then the price of all of them.
        Resource[] memory attached = new Resource[](orders.length);
        uint256 total;
        for (uint256 i = 0; i < orders.length; ++i) {
            _attach(deal, taskId, orders[i], attached[i]);
            total += attached[i].price;
        }
        _checkPrice(OrderKind.DATASET, total, maxPrice);
        Vault memory vault = _vault;
        _lock(vault, deal.sponsor, total);
        task.datasets = _writeBlob(vault, BulkLib.encode(attached));
        _store(vault);
    }

    function _attach(Deal memory deal, bytes32 taskId, DatasetOrder calldata order, Resource memory dataset) private {
        dataset.pointer = order.dataset;
        dataset.price = order.datasetprice;
        dataset.owner = DATASET_REGISTRY.registrantOf(order.dataset);
        bytes32 tag = order.tag.withoutKind();
        require(deal.tag.covers(tag), IDeals.TagNotCovered(tag, deal.tag));
        _checkAdmitted(OrderKind.DATASET, OrderKind.APP, order.apprestrict, deal.app.pointer);
        _checkAdmitted(OrderKind.DATASET, OrderKind.WORKERPOOL, order.workerpoolrestrict, deal.workerpool.pointer);
        _checkAdmitted(OrderKind.DATASET, OrderKind.REQUEST, order.requesterrestrict, deal.requester);
        bytes32 orderHash = _checkSigned(OrderKind.DATASET, dataset, order.hash(), order.sign);
        uint256 consumed = _consumedOf(orderHash);
        _left(OrderKind.DATASET, orderHash, order.volume, consumed);
        _setConsumedOf(orderHash, consumed + 1);
        emit DatasetAttached(taskId, dataset.pointer, orderHash, dataset.price);
    }
}
