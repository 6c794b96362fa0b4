// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {
    Account,
    AppInfo,
    Category,
    Contribution,
    ContributionStatus,
    DatasetInfo,
    Deal,
    Resource,
    Task,
    TaskStatus,
    WorkerpoolInfo
} from "../types/Deals.sol";
import {AppOrder, DatasetOrder, RequestOrder, WorkerpoolOrder} from "../types/Orders.sol";

/// @title Views: every getter, answered by HubViews through the Hub's fallback
/// @notice A getter of something that does not exist answers with zeros, unless it says otherwise.
interface IViews {
    struct EIP712Domain {
        string name;
        string version;
        uint256 chainId;
        address verifyingContract;
    }

    /// @notice Thrown when none of Hub, HubOffice and HubViews has the function that was called.
    error UnknownFunction(bytes4 selector);

    /* ESCROW */

    /// @notice "Staked " and the token's symbol ("RLC" for the chain's own currency).
    function name() external view returns (string memory);

    /// @notice "S" and the token's symbol.
    function symbol() external view returns (string memory);

    /// @notice Those of the token; 9 for the chain's own currency.
    function decimals() external view returns (uint8);

    /// @notice Zero where the escrow holds the chain's own currency.
    function token() external view returns (address);

    function totalSupply() external view returns (uint256);

    /// @notice What `account` may spend; of the Hub itself, what is locked and what is in the kitty.
    function balanceOf(address account) external view returns (uint256);

    function allowance(address account, address spender) external view returns (uint256);

    /// @notice What `account` has locked in deals and tasks.
    function frozenOf(address account) external view returns (uint256);

    /// @notice Free and locked amounts of `account`.
    function viewAccount(address account) external view returns (Account memory);

    function viewAccountABILegacy(address account) external view returns (uint256, uint256);

    /* ORDERS */

    /// @notice Who signed the order of this digest on chain.
    function viewPresigned(bytes32 id) external view returns (address signer);

    /// @notice How much of the volume of the order of this digest is used, by matching or closing.
    function viewConsumed(bytes32 id) external view returns (uint256 consumed);

    /// @notice How many tasks a match of these orders would have. Nothing else is checked.
    function computeDealVolume(
        AppOrder calldata apporder,
        DatasetOrder calldata datasetorder,
        WorkerpoolOrder calldata workerpoolorder,
        RequestOrder calldata requestorder
    ) external view returns (uint256);

    /// @notice Reverts with `IncompatibleDatasetOrder` unless the dataset may be used by the tasks of a deal that was
    /// made without one. Price is not looked at and nothing is consumed.
    function assertDatasetDealCompatibility(DatasetOrder calldata datasetOrder, bytes32 dealId) external view;

    /// @notice EIP-712 domain of all orders.
    function domain() external view returns (EIP712Domain memory);

    function eip712domain_separator() external view returns (bytes32);

    /* DEALS AND TASKS */

    function viewDeal(bytes32 id) external view returns (Deal memory);

    function viewDealABILegacy_pt1(
        bytes32 id
    ) external view returns (address, address, uint256, address, address, uint256, address, address, uint256);

    function viewDealABILegacy_pt2(
        bytes32 id
    ) external view returns (uint256, bytes32, address, address, address, string memory);

    /// @notice Category, start, first index, size, worker stake and scheduler ratio of a deal.
    function viewConfigABILegacy(
        bytes32 id
    ) external view returns (uint256, uint256, uint256, uint256, uint256, uint256);

    function viewTask(bytes32 id) external view returns (Task memory);

    function viewTaskABILegacy(
        bytes32 id
    )
        external
        view
        returns (
            TaskStatus,
            bytes32,
            uint256,
            uint256,
            uint256,
            uint256,
            uint256,
            bytes32,
            uint256,
            uint256,
            address[] memory,
            bytes memory
        );

    function viewContribution(bytes32 taskId, address worker) external view returns (Contribution memory);

    function viewContributionABILegacy(
        bytes32 taskId,
        address worker
    ) external view returns (ContributionStatus, bytes32, bytes32, address);

    /// @notice What was attached to a task beside its deal: dataset, owner and price of each.
    function viewDatasets(bytes32 taskId) external view returns (Resource[] memory);

    /// @notice Score of a worker, which weighs its contributions to replicated tasks.
    function viewScore(address worker) external view returns (uint256);

    /// @notice Callback data of a completed task. Reverts with `TaskPending` before.
    function resultFor(bytes32 id) external view returns (bytes memory);

    /* ASSETS */

    /// @dev Reverts when `app` is not an app.
    function viewApp(address app) external view returns (AppInfo memory);

    function viewDataset(address dataset) external view returns (DatasetInfo memory);

    function viewWorkerpool(address workerpool) external view returns (WorkerpoolInfo memory);

    function appregistry() external view returns (address);

    function datasetregistry() external view returns (address);

    function workerpoolregistry() external view returns (address);

    /* CONFIGURATION */

    function owner() external view returns (address);

    function teebroker() external view returns (address);

    function callbackgas() external view returns (uint256);

    function countCategory() external view returns (uint256);

    /// @dev Reverts with `UnknownCategory` when there is no such category.
    function viewCategory(uint256 catid) external view returns (Category memory);

    function viewCategoryABILegacy(uint256 catid) external view returns (string memory, string memory, uint256);

    function contribution_deadline_ratio() external view returns (uint256);

    function reveal_deadline_ratio() external view returns (uint256);

    function final_deadline_ratio() external view returns (uint256);

    function workerpool_stake_ratio() external view returns (uint256);

    function kitty_ratio() external view returns (uint256);

    function kitty_min() external view returns (uint256);

    function kitty_address() external view returns (address);

    function groupmember_purpose() external view returns (uint256);

    /* REFUSALS */

    /// @notice Does nothing: the domain separator follows the chain id by itself.
    function updateDomainSeparator() external;

    /// @notice Always reverts with `Immutable`: everything is fixed by the constructor.
    function configure(
        address token,
        string calldata name,
        string calldata symbol,
        uint8 decimals,
        address appRegistry,
        address datasetRegistry,
        address workerpoolRegistry,
        address previousHub
    ) external;

    /// @notice Always reverts with `Immutable`: a Hub keeps its registries for ever.
    function changeRegistries(address appRegistry, address datasetRegistry, address workerpoolRegistry) external;

    /// @notice Always reverts with `Immutable`: somebody must be able to recover tokens sent by mistake.
    function renounceOwnership() external;

    /// @notice Always reverts with `NoPreviousHub`.
    function importScore(address worker) external;
}
