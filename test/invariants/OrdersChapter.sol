// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IOrders} from "../../contracts/interfaces/IOrders.sol";
import {
    AppOrderOperation,
    DatasetOrderOperation,
    OrderKind,
    RequestOrderOperation,
    WorkerpoolOrderOperation
} from "../../contracts/types/Orders.sol";
import {DealsChapter} from "./DealsChapter.sol";
import {OrderHash} from "./OrderHash.sol";

/// @title OrdersChapter
/// @notice Signs, closes and broadcasts orders, by owners, by their signatures, and by strangers.
abstract contract OrdersChapter is DealsChapter {
    using OrderHash for *;

    uint8 private constant CLOSE = 1;

    /// @dev Of one of the kept orders, and what is to be done with it.
    struct Operation {
        OrderKind kind;
        uint256 place;
        bytes32 structHash;
        bytes32 orderHash;
        address owner;
        address caller;
        uint8 operation;
        bytes sign;
        bool allowed;
    }

    function manageAppOrder(uint256 seed) external action(seed) {
        if (_appOrders.length == 0 || _chance(4)) _appFor(_quad(_anyWishes()).request);
        Operation memory o = Operation(OrderKind.APP, _draw(_appOrders.length), 0, 0, NOBODY, NOBODY, 0, "", false);
        o.structHash = _appOrders[o.place].hash();
        _manage(o, OrderHash.operationType("AppOrder", OrderHash.APP));
    }

    function manageDatasetOrder(uint256 seed) external action(seed) {
        if (_datasetOrders.length == 0 || _chance(4)) _datasetFor(_quad(_anyWishes()).request);
        uint256 place = _draw(_datasetOrders.length);
        Operation memory o = Operation(OrderKind.DATASET, place, 0, 0, NOBODY, NOBODY, 0, "", false);
        o.structHash = _datasetOrders[o.place].hash();
        _manage(o, OrderHash.operationType("DatasetOrder", OrderHash.DATASET));
    }

    function manageWorkerpoolOrder(uint256 seed) external action(seed) {
        if (_workerpoolOrders.length == 0 || _chance(4)) _workerpoolFor(_quad(_anyWishes()).request);
        uint256 place = _draw(_workerpoolOrders.length);
        Operation memory o = Operation(OrderKind.WORKERPOOL, place, 0, 0, NOBODY, NOBODY, 0, "", false);
        o.structHash = _workerpoolOrders[o.place].hash();
        _manage(o, OrderHash.operationType("WorkerpoolOrder", OrderHash.WORKERPOOL));
    }

    function manageRequestOrder(uint256 seed) external action(seed) {
        if (_requestOrders.length == 0 || _chance(4)) _quad(_anyWishes());
        uint256 place = _draw(_requestOrders.length);
        Operation memory o = Operation(OrderKind.REQUEST, place, 0, 0, NOBODY, NOBODY, 0, "", false);
        o.structHash = _requestOrders[o.place].hash();
        _manage(o, OrderHash.operationType("RequestOrder", OrderHash.REQUEST));
    }

    function broadcastAppOrder(uint256 seed) external action(seed) {
        _actIf(true, _someone(), abi.encodeCall(IOrders.broadcastAppOrder, (_quad(_anyWishes()).app)));
    }

    function broadcastDatasetOrder(uint256 seed) external action(seed) {
        _actIf(true, _someone(), abi.encodeCall(IOrders.broadcastDatasetOrder, (_quad(_anyWishes()).dataset)));
    }

    function broadcastWorkerpoolOrder(uint256 seed) external action(seed) {
        _actIf(true, _someone(), abi.encodeCall(IOrders.broadcastWorkerpoolOrder, (_quad(_anyWishes()).workerpool)));
    }

    function broadcastRequestOrder(uint256 seed) external action(seed) {
        _actIf(true, _someone(), abi.encodeCall(IOrders.broadcastRequestOrder, (_quad(_anyWishes()).request)));
    }

    /// @dev By the owner, by whoever carries the owner's signature, or by who has neither.
    function _manage(Operation memory o, bytes32 operationType) private {
        o.orderHash = _digest(o.structHash);
        Kept storage kept = _kept[o.orderHash];
        o.owner = _ownerOf(kept.kind, kept.entry);
        o.operation = _chance(12) ? uint8(2 + _draw(254)) : uint8(_chance(2) ? CLOSE : 0);
        o.caller = _chance(2) && o.owner != NOBODY ? o.owner : _someone();
        bool carried = _chance(2);
        address signer = _chance(6) ? _someone() : o.owner;
        if (carried && _keyOf[signer] != 0) {
            bytes32 structHash = keccak256(abi.encode(operationType, o.structHash, uint256(o.operation)));
            o.sign = _sign(_keyOf[signer], _digest(structHash));
        }
        bool signed = o.sign.length > 0 && signer == o.owner;
        o.allowed = o.operation <= CLOSE && (o.caller == o.owner || signed);
        _actIf(o.allowed, o.caller, _operationCall(o));
        if (o.allowed) _bookOperation(kept, o);
    }

    function _bookOperation(Kept storage kept, Operation memory o) private {
        if (o.operation == CLOSE) {
            kept.closed = true;
            kept.consumed = kept.volume;
        } else {
            kept.presigner = o.owner;
        }
        _checkVolume(o.orderHash);
    }

    function _operationCall(Operation memory o) private view returns (bytes memory) {
        (uint256 i, uint8 operation, bytes memory sign) = (o.place, o.operation, o.sign);
        if (o.kind == OrderKind.APP) {
            return abi.encodeCall(IOrders.manageAppOrder, (AppOrderOperation(_appOrders[i], operation, sign)));
        }
        if (o.kind == OrderKind.DATASET) {
            DatasetOrderOperation memory d = DatasetOrderOperation(_datasetOrders[i], operation, sign);
            return abi.encodeCall(IOrders.manageDatasetOrder, (d));
        }
        if (o.kind == OrderKind.WORKERPOOL) {
            WorkerpoolOrderOperation memory w = WorkerpoolOrderOperation(_workerpoolOrders[i], operation, sign);
            return abi.encodeCall(IOrders.manageWorkerpoolOrder, (w));
        }
        RequestOrderOperation memory r = RequestOrderOperation(_requestOrders[i], operation, sign);
        return abi.encodeCall(IOrders.manageRequestOrder, (r));
    }
}
