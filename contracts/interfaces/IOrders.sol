// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

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

/// @title Orders: sign, close and broadcast an order
interface IOrders {
    /// @notice Thrown when neither the caller nor the signature is the `owner` of what the order sells or asks.
    /// `owner` is zero when the asset is not registered.
    error OperationNotAuthorized(bytes32 orderHash, address owner, address caller);

    /// @notice Thrown when the operation is neither 0 (sign) nor 1 (close).
    error UnknownOperation(uint8 operation);

    event SignedAppOrder(bytes32 appHash);
    event SignedDatasetOrder(bytes32 datasetHash);
    event SignedWorkerpoolOrder(bytes32 workerpoolHash);
    event SignedRequestOrder(bytes32 requestHash);

    event ClosedAppOrder(bytes32 appHash);
    event ClosedDatasetOrder(bytes32 datasetHash);
    event ClosedWorkerpoolOrder(bytes32 workerpoolHash);
    event ClosedRequestOrder(bytes32 requestHash);

    event BroadcastAppOrder(AppOrder apporder);
    event BroadcastDatasetOrder(DatasetOrder datasetorder);
    event BroadcastWorkerpoolOrder(WorkerpoolOrder workerpoolorder);
    event BroadcastRequestOrder(RequestOrder requestorder);

    /// @notice Signs the order on chain, or closes it for ever: its remaining volume becomes zero.
    /// @dev Called by the owner of the asset (the requester, for a request), or by anyone who carries the owner's
    /// EIP-712 signature of the operation.
    /// Warning: a presignature lives as long as its signer owns the asset, and lives again when ownership returns.
    function manageAppOrder(AppOrderOperation calldata apporderoperation) external;

    /// @notice Same as `manageAppOrder`.
    function manageDatasetOrder(DatasetOrderOperation calldata datasetorderoperation) external;

    /// @notice Same as `manageAppOrder`.
    function manageWorkerpoolOrder(WorkerpoolOrderOperation calldata workerpoolorderoperation) external;

    /// @notice Same as `manageAppOrder`; the owner of a request is its requester.
    function manageRequestOrder(RequestOrderOperation calldata requestorderoperation) external;

    /// @notice Publishes an order as an event. Nothing is checked or stored.
    function broadcastAppOrder(AppOrder calldata apporder) external;

    function broadcastDatasetOrder(DatasetOrder calldata datasetorder) external;

    function broadcastWorkerpoolOrder(WorkerpoolOrder calldata workerpoolorder) external;

    function broadcastRequestOrder(RequestOrder calldata requestorder) external;
}
