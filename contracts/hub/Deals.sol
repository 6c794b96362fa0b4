// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IDeals} from "../interfaces/IDeals.sol";
import {DealLib} from "../libraries/DealLib.sol";
import {OrderLib} from "../libraries/OrderLib.sol";
import {ShareLib} from "../libraries/ShareLib.sol";
import {TagLib} from "../libraries/TagLib.sol";
import {Deal, Resource} from "../types/Deals.sol";
import {AppOrder, DatasetOrder, OrderKind, RequestOrder, WorkerpoolOrder} from "../types/Orders.sol";
import {Escrow} from "./Escrow.sol";
import {Rules} from "./Rules.sol";

/// @title Deals: match four orders into a deal; deposit-and-match
/// @dev The rules and their order have a twin off chain; change both.
abstract contract Deals is IDeals, Escrow, Rules {
    using OrderLib for *;
    using TagLib for bytes32;

    /// @dev An order on offer, who presigned it, and how much of it is consumed.
    struct Used {
        bytes32 orderHash;
        address signer;
        uint256 consumed;
    }

    /// @dev What a match finds out on its way.
    struct Matching {
        Used app;
        Used dataset;
        Used workerpool;
        bytes32 requestHash;
        Deal deal;
        DealLib.Terms terms;
    }

    /// @inheritdoc IDeals
    function matchOrders(
        AppOrder calldata apporder,
        DatasetOrder calldata datasetorder,
        WorkerpoolOrder calldata workerpoolorder,
        RequestOrder calldata requestorder
    ) external returns (bytes32 dealId) {
        return _match(apporder, datasetorder, workerpoolorder, requestorder, requestorder.requester);
    }

    /// @inheritdoc IDeals
    function sponsorMatchOrders(
        AppOrder calldata apporder,
        DatasetOrder calldata datasetorder,
        WorkerpoolOrder calldata workerpoolorder,
        RequestOrder calldata requestorder
    ) external returns (bytes32 dealId) {
        address sponsor = _sender();
        dealId = _match(apporder, datasetorder, workerpoolorder, requestorder, sponsor);
        emit DealSponsored(dealId, sponsor);
    }

    function _match(
        AppOrder calldata appOrder,
        DatasetOrder calldata datasetOrder,
        WorkerpoolOrder calldata workerpoolOrder,
        RequestOrder calldata requestOrder,
        address payer
    ) private returns (bytes32 dealId) {
        Matching memory matching;
        Deal memory deal = matching.deal;
        deal.sponsor = payer;
        deal.app.pointer = appOrder.app;
        deal.dataset.pointer = datasetOrder.dataset;
        deal.workerpool.pointer = workerpoolOrder.workerpool;
        deal.requester = requestOrder.requester;

        // Check: the terms fit, nobody is excluded, everything is registered and signed, volume is left.
        _checkTerms(matching, appOrder, datasetOrder, workerpoolOrder, requestOrder);
        _checkRestrictions(deal, appOrder, datasetOrder, workerpoolOrder, requestOrder);
        _checkApp(matching, appOrder);
        if (deal.dataset.pointer != address(0)) _checkDataset(matching, datasetOrder);
        _checkWorkerpool(matching, workerpoolOrder);
        _checkRequest(matching, requestOrder);
        _findVolume(matching, appOrder, datasetOrder, workerpoolOrder, requestOrder);

        // Effect.
        _consume(matching);
        return _open(matching);
    }

    /* CHECKS */

    function _checkTerms(
        Matching memory matching,
        AppOrder calldata appOrder,
        DatasetOrder calldata datasetOrder,
        WorkerpoolOrder calldata workerpoolOrder,
        RequestOrder calldata requestOrder
    ) private view {
        uint256 category = requestOrder.category;
        require(category == workerpoolOrder.category, CategoryMismatch(category, workerpoolOrder.category));
        matching.terms.category = category;
        matching.terms.timeref = _timerefOf(category);

        uint256 trust = requestOrder.trust;
        require(trust <= workerpoolOrder.trust, TrustTooHigh(trust, workerpoolOrder.trust));
        matching.terms.trust = Math.max(trust, 1);

        Deal memory deal = matching.deal;
        bool hasDataset = deal.dataset.pointer != address(0);
        deal.app.price = _checkPrice(OrderKind.APP, appOrder.appprice, requestOrder.appmaxprice);
        if (hasDataset) {
            deal.dataset.price = _checkPrice(
                OrderKind.DATASET,
                datasetOrder.datasetprice,
                requestOrder.datasetmaxprice
            );
        }
        deal.workerpool.price = _checkPrice(
            OrderKind.WORKERPOOL,
            workerpoolOrder.workerpoolprice,
            requestOrder.workerpoolmaxprice
        );

        bytes32 tag = TagLib.combine(appOrder.tag, hasDataset ? datasetOrder.tag : bytes32(0), requestOrder.tag);
        require(workerpoolOrder.tag.covers(tag), TagNotCovered(tag, workerpoolOrder.tag));
        require(tag.needsEnclave() == appOrder.tag.needsEnclave(), EnclaveMismatch(tag, appOrder.tag));
        deal.tag = tag;

        (address app, address dataset) = (requestOrder.app, requestOrder.dataset);
        require(app == deal.app.pointer, AppMismatch(app, deal.app.pointer));
        require(dataset == deal.dataset.pointer, DatasetMismatch(dataset, deal.dataset.pointer));
    }

    function _checkRestrictions(
        Deal memory deal,
        AppOrder calldata appOrder,
        DatasetOrder calldata datasetOrder,
        WorkerpoolOrder calldata workerpoolOrder,
        RequestOrder calldata requestOrder
    ) private view {
        address app = deal.app.pointer;
        address dataset = deal.dataset.pointer;
        address workerpool = deal.workerpool.pointer;
        address requester = deal.requester;

        _checkAdmitted(OrderKind.REQUEST, OrderKind.WORKERPOOL, requestOrder.workerpool, workerpool);
        _checkAdmitted(OrderKind.APP, OrderKind.DATASET, appOrder.datasetrestrict, dataset);
        _checkAdmitted(OrderKind.APP, OrderKind.WORKERPOOL, appOrder.workerpoolrestrict, workerpool);
        _checkAdmitted(OrderKind.APP, OrderKind.REQUEST, appOrder.requesterrestrict, requester);
        if (dataset != address(0)) {
            _checkAdmitted(OrderKind.DATASET, OrderKind.APP, datasetOrder.apprestrict, app);
            _checkAdmitted(OrderKind.DATASET, OrderKind.WORKERPOOL, datasetOrder.workerpoolrestrict, workerpool);
            _checkAdmitted(OrderKind.DATASET, OrderKind.REQUEST, datasetOrder.requesterrestrict, requester);
        }
        _checkAdmitted(OrderKind.WORKERPOOL, OrderKind.APP, workerpoolOrder.apprestrict, app);
        _checkAdmitted(OrderKind.WORKERPOOL, OrderKind.DATASET, workerpoolOrder.datasetrestrict, dataset);
        _checkAdmitted(OrderKind.WORKERPOOL, OrderKind.REQUEST, workerpoolOrder.requesterrestrict, requester);
    }

    function _checkApp(Matching memory matching, AppOrder calldata order) private view {
        Resource memory app = matching.deal.app;
        app.owner = APP_REGISTRY.registrantOf(app.pointer);
        matching.app.orderHash = _checkSigned(OrderKind.APP, app, order.hash(), order.sign);
    }

    function _checkDataset(Matching memory matching, DatasetOrder calldata order) private view {
        Resource memory dataset = matching.deal.dataset;
        dataset.owner = DATASET_REGISTRY.registrantOf(dataset.pointer);
        matching.dataset.orderHash = _checkSigned(OrderKind.DATASET, dataset, order.hash(), order.sign);
    }

    function _checkWorkerpool(Matching memory matching, WorkerpoolOrder calldata order) private view {
        Resource memory workerpool = matching.deal.workerpool;
        (workerpool.owner, matching.terms.workerStakeRatio, matching.terms.schedulerRewardRatio) = WORKERPOOL_REGISTRY
            .termsOf(workerpool.pointer);
        // A stake past every number would keep the deal from ever being read again, and its money from being released.
        matching.deal.workerStake = ShareLib.percentOf(workerpool.price, matching.terms.workerStakeRatio);
        matching.workerpool.orderHash = _checkSigned(OrderKind.WORKERPOOL, workerpool, order.hash(), order.sign);
    }

    function _checkRequest(Matching memory matching, RequestOrder calldata order) private view {
        Deal memory deal = matching.deal;
        bytes32 orderHash = _digest(order.hash());
        require(
            _isApproved(deal.requester, orderHash, order.sign),
            NotAuthentic(OrderKind.REQUEST, orderHash, deal.requester)
        );
        matching.requestHash = orderHash;
        deal.beneficiary = order.beneficiary;
        deal.callback = order.callback;
        deal.params = order.params;
    }

    /// @dev The smallest volume that is left of any order; the request's is where the deal begins.
    function _findVolume(
        Matching memory matching,
        AppOrder calldata appOrder,
        DatasetOrder calldata datasetOrder,
        WorkerpoolOrder calldata workerpoolOrder,
        RequestOrder calldata requestOrder
    ) private view {
        uint256 volume = _leftOf(matching.app, OrderKind.APP, appOrder.volume);
        if (matching.dataset.orderHash != 0) {
            volume = Math.min(volume, _leftOf(matching.dataset, OrderKind.DATASET, datasetOrder.volume));
        }
        volume = Math.min(volume, _leftOf(matching.workerpool, OrderKind.WORKERPOOL, workerpoolOrder.volume));
        bytes32 requestHash = matching.requestHash;
        uint256 consumed = _consumedOfRequest(requestHash);
        volume = Math.min(volume, _left(OrderKind.REQUEST, requestHash, requestOrder.volume, consumed));
        matching.terms.botFirst = consumed;
        matching.terms.botSize = volume;
    }

    function _leftOf(Used memory order, OrderKind kind, uint256 volume) private view returns (uint256) {
        (order.signer, order.consumed) = _stateOf(order.orderHash);
        return _left(kind, order.orderHash, volume, order.consumed);
    }

    /* EFFECTS */

    function _consume(Matching memory matching) private {
        uint256 volume = matching.terms.botSize;
        _use(matching.app, volume);
        if (matching.dataset.orderHash != 0) _use(matching.dataset, volume);
        _use(matching.workerpool, volume);
    }

    function _use(Used memory order, uint256 volume) private {
        _setConsumedOf(order.orderHash, order.signer, order.consumed + volume);
    }

    function _open(Matching memory matching) private returns (bytes32 dealId) {
        Vault memory vault = _vault;
        Deal memory deal = matching.deal;
        uint256 volume = matching.terms.botSize;

        // Locking first proves that the prices fit what a deal has room for.
        _lock(vault, deal.sponsor, (deal.app.price + deal.dataset.price + deal.workerpool.price) * volume);
        _lock(vault, deal.workerpool.owner, _stakeOf(deal) * volume);

        dealId = _dealIdOf(matching.requestHash, matching.terms.botFirst);
        _writeDeal(vault, matching.requestHash, dealId, deal, matching.terms);
        _store(vault);
        emit SchedulerNotice(deal.workerpool.pointer, dealId);
        emit OrdersMatched(
            dealId,
            matching.app.orderHash,
            matching.dataset.orderHash,
            matching.workerpool.orderHash,
            matching.requestHash,
            volume
        );
    }

    /* RULES */

    function _timerefOf(uint256 category) private view returns (uint256 timeref) {
        timeref = _categories[category].workClockTimeRef;
        // Only a category of no time at all costs a look at their number.
        require(timeref > 0 || category < _ownership.categoryCount, UnknownCategory(category));
    }
}
