// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {DatasetOrder} from "../types/Orders.sol";

/// @title Bulk: tasks that use many datasets, each paid
interface IBulk {
    /// @notice Thrown when the caller does not pay the deal.
    error NotPayer(bytes32 dealId, address caller, address payer);

    /// @notice Thrown when the deal has a dataset of its own.
    error DealHasDataset(bytes32 dealId, address dataset);

    /// @notice Thrown when the task has datasets attached already: it takes one call.
    error AlreadyAttached(bytes32 taskId);

    /// @notice The task uses `dataset` and its owner will earn `price` for it.
    event DatasetAttached(bytes32 indexed taskid, address indexed dataset, bytes32 datasetHash, uint256 price);

    /// @notice Attaches datasets to a task of a deal that was made without one, before the task is initialized. Called by
    /// who pays the deal; one call per task, with up to 472 datasets. Without orders it does nothing.
    /// @dev Where a transaction may use 16,777,216 gas, about 320 orders that come with a signature fit it; 472 do if they
    /// were signed on chain. Completion pays every owner, at up to 27,000 gas each; failure and claim look at none.
    /// Every order is checked as a match would check it (registered, signed by the owner of now, restrictions, tag
    /// within the deal's, volume left), one of its volume is used, and its price is locked. Completion pays each owner;
    /// failure and claim refund.
    /// Warning: anyone may match a signed request and initialize its tasks, and then nothing can be attached any more: sign
    /// the request, match and attach in one `multicall`.
    /// @param maxPrice What all of them may cost together.
    function attachDatasets(bytes32 dealid, uint256 idx, DatasetOrder[] calldata orders, uint256 maxPrice) external;
}
