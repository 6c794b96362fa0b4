// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IOrders} from "../interfaces/IOrders.sol";
import {OrderLib} from "../libraries/OrderLib.sol";
import {
    AppOrder,
    AppOrderOperation,
    DatasetOrder,
    DatasetOrderOperation,
    RequestOrder,
    RequestOrderOperation,
    WorkerpoolOrder,
    WorkerpoolOrderOperation
} from "../types/Orders.sol";
import {Signatures} from "./Signatures.sol";

/// @title Orders: sign, close and broadcast an order
abstract contract Orders is IOrders, Signatures {
    using OrderLib for *;

    uint8 private constant SIGN = 0;
    uint8 private constant CLOSE = 1;

    /* MANAGEMENT */

    /// @inheritdoc IOrders
    function manageAppOrder(AppOrderOperation calldata apporderoperation) external {
        bytes32 structHash = apporderoperation.order.hash();
        bytes32 orderHash = _digest(structHash);
        address owner = APP_REGISTRY.registrantOf(apporderoperation.order.app);
        uint8 operation = apporderoperation.operation;
        if (_sender() != owner) {
            bytes32 operationHash = OrderLib.APP_ORDER_OPERATION_TYPEHASH.hashOperation(structHash, operation);
            _checkOperation(orderHash, owner, operationHash, apporderoperation.sign);
        }

        if (_signs(operation)) {
            _orders[orderHash].signer = owner;
            emit SignedAppOrder(orderHash);
        } else {
            _setConsumedOf(orderHash, apporderoperation.order.volume);
            emit ClosedAppOrder(orderHash);
        }
    }

    /// @inheritdoc IOrders
    function manageDatasetOrder(DatasetOrderOperation calldata datasetorderoperation) external {
        bytes32 structHash = datasetorderoperation.order.hash();
        bytes32 orderHash = _digest(structHash);
        address owner = DATASET_REGISTRY.registrantOf(datasetorderoperation.order.dataset);
        uint8 operation = datasetorderoperation.operation;
        if (_sender() != owner) {
            bytes32 operationHash = OrderLib.DATASET_ORDER_OPERATION_TYPEHASH.hashOperation(structHash, operation);
            _checkOperation(orderHash, owner, operationHash, datasetorderoperation.sign);
        }

        if (_signs(operation)) {
            _orders[orderHash].signer = owner;
            emit SignedDatasetOrder(orderHash);
        } else {
            _setConsumedOf(orderHash, datasetorderoperation.order.volume);
            emit ClosedDatasetOrder(orderHash);
        }
    }

    /// @inheritdoc IOrders
    function manageWorkerpoolOrder(WorkerpoolOrderOperation calldata workerpoolorderoperation) external {
        bytes32 structHash = workerpoolorderoperation.order.hash();
        bytes32 orderHash = _digest(structHash);
        address owner = WORKERPOOL_REGISTRY.registrantOf(workerpoolorderoperation.order.workerpool);
        uint8 operation = workerpoolorderoperation.operation;
        if (_sender() != owner) {
            bytes32 operationHash = OrderLib.WORKERPOOL_ORDER_OPERATION_TYPEHASH.hashOperation(structHash, operation);
            _checkOperation(orderHash, owner, operationHash, workerpoolorderoperation.sign);
        }

        if (_signs(operation)) {
            _orders[orderHash].signer = owner;
            emit SignedWorkerpoolOrder(orderHash);
        } else {
            _setConsumedOf(orderHash, workerpoolorderoperation.order.volume);
            emit ClosedWorkerpoolOrder(orderHash);
        }
    }

    /// @inheritdoc IOrders
    function manageRequestOrder(RequestOrderOperation calldata requestorderoperation) external {
        bytes32 structHash = requestorderoperation.order.hash();
        bytes32 orderHash = _digest(structHash);
        address requester = requestorderoperation.order.requester;
        uint8 operation = requestorderoperation.operation;
        if (_sender() != requester) {
            bytes32 operationHash = OrderLib.REQUEST_ORDER_OPERATION_TYPEHASH.hashOperation(structHash, operation);
            _checkOperation(orderHash, requester, operationHash, requestorderoperation.sign);
        }

        if (_signs(operation)) {
            _orders[orderHash].signer = requester;
            emit SignedRequestOrder(orderHash);
        } else {
            _setConsumedOfRequest(orderHash, requestorderoperation.order.volume);
            emit ClosedRequestOrder(orderHash);
        }
    }

    /* BROADCAST */

    /// @inheritdoc IOrders
    function broadcastAppOrder(AppOrder calldata apporder) external {
        emit BroadcastAppOrder(apporder);
    }

    /// @inheritdoc IOrders
    function broadcastDatasetOrder(DatasetOrder calldata datasetorder) external {
        emit BroadcastDatasetOrder(datasetorder);
    }

    /// @inheritdoc IOrders
    function broadcastWorkerpoolOrder(WorkerpoolOrder calldata workerpoolorder) external {
        emit BroadcastWorkerpoolOrder(workerpoolorder);
    }

    /// @inheritdoc IOrders
    function broadcastRequestOrder(RequestOrder calldata requestorder) external {
        emit BroadcastRequestOrder(requestorder);
    }

    /// @dev Whether the operation signs; if not, it closes.
    function _signs(uint8 operation) private pure returns (bool) {
        require(operation == SIGN || operation == CLOSE, UnknownOperation(operation));
        return operation == SIGN;
    }

    /// @dev The caller carries the owner's signature.
    function _checkOperation(
        bytes32 orderHash,
        address owner,
        bytes32 operationHash,
        bytes calldata signature
    ) private view {
        require(
            _isSigned(owner, _digest(operationHash), signature),
            OperationNotAuthorized(orderHash, owner, _sender())
        );
    }
}
