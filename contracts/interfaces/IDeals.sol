// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {AppOrder, DatasetOrder, OrderKind, RequestOrder, WorkerpoolOrder} from "../types/Orders.sol";

/// @title Deals: match four orders into a deal
/// @notice The errors are listed in the order in which a match checks: a match that breaks several rules reports the
/// first. A dataset order whose dataset is zero means "no dataset": the rest of its body is ignored.
interface IDeals {
    /// @notice Thrown when request and workerpool order name different categories.
    error CategoryMismatch(uint256 requested, uint256 offered);

    /// @notice Thrown when the category does not exist.
    error UnknownCategory(uint256 category);

    /// @notice Thrown when the request wants more trust than the workerpool accepts.
    error TrustTooHigh(uint256 requested, uint256 accepted);

    /// @notice Thrown when the price of `kind` is above what the request allows.
    error Overpriced(OrderKind kind, uint256 price, uint256 maxPrice);

    /// @notice Thrown when the workerpool lacks a bit of the deal's tag.
    error TagNotCovered(bytes32 tag, bytes32 workerpoolTag);

    /// @notice Thrown when the deal needs an enclave and the app has none, or the reverse.
    error EnclaveMismatch(bytes32 tag, bytes32 appTag);

    /// @notice Thrown when the request asks for another app than the one ordered.
    error AppMismatch(address requested, address offered);

    /// @notice Thrown when the request asks for another dataset than the one ordered.
    error DatasetMismatch(address requested, address offered);

    /// @notice Thrown when the order `by` is restricted to `restriction`, which is not nor admits the `candidate` that
    /// stands for `what`.
    error Restricted(OrderKind by, OrderKind what, address restriction, address candidate);

    /// @notice Thrown when the app, dataset or workerpool is not registered.
    error NotRegistered(OrderKind kind, address entry);

    /// @notice Thrown when the order was not signed by `owner`, the owner of its asset at this moment.
    error NotAuthentic(OrderKind kind, bytes32 orderHash, address owner);

    /// @notice Thrown when nothing is left of the order's volume, or the order was closed.
    error NothingLeft(OrderKind kind, bytes32 orderHash, uint256 volume);

    /// @notice Thrown when what a deal or a result keeps in code, `length` bytes, could not be written: it is longer than
    /// code may be, or the gas ran out.
    error BlobNotWritten(uint256 length, uint256 limit);

    /// @notice Thrown by `assertDatasetDealCompatibility`; the reason is a sentence.
    error IncompatibleDatasetOrder(string reason);

    /// @notice Four orders became a deal of `volume` tasks. `datasetHash` is zero in a deal without dataset.
    event OrdersMatched(
        bytes32 dealid,
        bytes32 appHash,
        bytes32 datasetHash,
        bytes32 workerpoolHash,
        bytes32 requestHash,
        uint256 volume
    );

    /// @notice Tells a workerpool that it has work.
    event SchedulerNotice(address indexed workerpool, bytes32 dealid);

    /// @notice The deal is paid by `sponsor` instead of its requester.
    event DealSponsored(bytes32 dealId, address sponsor);

    /// @notice Matches four orders into a deal paid by the requester. Anyone may call.
    /// @dev Locks the price of all tasks from the requester, and 30 % of the workerpool price from the pool's owner.
    /// @return dealId keccak256(request digest, volume of the request consumed before)
    function matchOrders(
        AppOrder calldata apporder,
        DatasetOrder calldata datasetorder,
        WorkerpoolOrder calldata workerpoolorder,
        RequestOrder calldata requestorder
    ) external returns (bytes32 dealId);

    /// @notice Same, paid by the caller, who also gets the refunds.
    /// @dev Warning: someone else may call `matchOrders` with the same request first; the requester then pays.
    function sponsorMatchOrders(
        AppOrder calldata apporder,
        DatasetOrder calldata datasetorder,
        WorkerpoolOrder calldata workerpoolorder,
        RequestOrder calldata requestorder
    ) external returns (bytes32 dealId);
}
