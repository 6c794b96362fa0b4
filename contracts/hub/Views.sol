// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdmin} from "../interfaces/IAdmin.sol";
import {IApp} from "../interfaces/IApp.sol";
import {IDataset} from "../interfaces/IDataset.sol";
import {IDeals} from "../interfaces/IDeals.sol";
import {ISignatures} from "../interfaces/ISignatures.sol";
import {ITasks} from "../interfaces/ITasks.sol";
import {IViews} from "../interfaces/IViews.sol";
import {IWorkerpool} from "../interfaces/IWorkerpool.sol";
import {Blob} from "../libraries/Blob.sol";
import {OrderLib} from "../libraries/OrderLib.sol";
import {ResultLib} from "../libraries/ResultLib.sol";
import {TagLib} from "../libraries/TagLib.sol";
import {TrustLib} from "../libraries/TrustLib.sol";
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
import {Signatures} from "./Signatures.sol";

/// @title Views: every getter
abstract contract Views is IViews, ISignatures, Signatures {
    using OrderLib for *;
    using TagLib for bytes32;

    /// @dev What the chain's own currency is staked as.
    string private constant NATIVE_SYMBOL = "RLC";
    uint8 private constant NATIVE_DECIMALS = 9;

    /* ESCROW */

    /// @inheritdoc IViews
    function name() external view returns (string memory) {
        return string.concat("Staked ", _tokenSymbol());
    }

    /// @inheritdoc IViews
    function symbol() external view returns (string memory) {
        return string.concat("S", _tokenSymbol());
    }

    /// @inheritdoc IViews
    function decimals() external view returns (uint8) {
        return address(TOKEN) == address(0) ? NATIVE_DECIMALS : IERC20Metadata(address(TOKEN)).decimals();
    }

    function _tokenSymbol() private view returns (string memory) {
        return address(TOKEN) == address(0) ? NATIVE_SYMBOL : IERC20Metadata(address(TOKEN)).symbol();
    }

    /// @inheritdoc IViews
    function token() external view returns (address) {
        return address(TOKEN);
    }

    /// @inheritdoc IViews
    function totalSupply() external view returns (uint256) {
        return _supply;
    }

    /// @inheritdoc IViews
    function balanceOf(address account) external view returns (uint256) {
        return _freeOf(account);
    }

    /// @inheritdoc IViews
    function allowance(address account, address spender) external view returns (uint256) {
        return _allowances[account][spender];
    }

    /// @inheritdoc IViews
    function frozenOf(address account) external view returns (uint256) {
        return _frozenOf(account);
    }

    /// @inheritdoc IViews
    function viewAccount(address account) external view returns (Account memory) {
        return Account(_freeOf(account), _frozenOf(account));
    }

    /// @inheritdoc IViews
    function viewAccountABILegacy(address account) external view returns (uint256, uint256) {
        return (_freeOf(account), _frozenOf(account));
    }

    function _freeOf(address account) private view returns (uint256) {
        uint256 held = account == address(this) ? _vault.held : 0;
        return _accounts[account].free + held;
    }

    function _frozenOf(address account) private view returns (uint256) {
        uint256 kitty = account == KITTY_ADDRESS ? _vault.kitty : 0;
        return _accounts[account].frozen + kitty;
    }

    /* SIGNATURES */

    /// @inheritdoc ISignatures
    function verifySignature(address account, bytes32 hash, bytes calldata signature) external view returns (bool) {
        return _isSigned(account, hash, signature);
    }

    /// @inheritdoc ISignatures
    function verifyPresignature(address account, bytes32 hash) external view returns (bool) {
        return _isPresigned(account, hash);
    }

    /// @inheritdoc ISignatures
    function verifyPresignatureOrSignature(
        address account,
        bytes32 hash,
        bytes calldata signature
    ) external view returns (bool) {
        return _isApproved(account, hash, signature);
    }

    /* ORDERS */

    /// @inheritdoc IViews
    function viewPresigned(bytes32 id) external view returns (address signer) {
        return _orders[id].signer;
    }

    /// @inheritdoc IViews
    function viewConsumed(bytes32 id) external view returns (uint256 consumed) {
        // One of the two is zero: a digest is that of a request or of another order, never of both.
        return _consumedOf(id) + _consumedOfRequest(id);
    }

    /// @inheritdoc IViews
    function computeDealVolume(
        AppOrder calldata apporder,
        DatasetOrder calldata datasetorder,
        WorkerpoolOrder calldata workerpoolorder,
        RequestOrder calldata requestorder
    ) external view returns (uint256) {
        uint256 volume = apporder.volume - _consumedOf(_digest(apporder.hash()));
        if (datasetorder.dataset != address(0)) {
            volume = Math.min(volume, datasetorder.volume - _consumedOf(_digest(datasetorder.hash())));
        }
        volume = Math.min(volume, workerpoolorder.volume - _consumedOf(_digest(workerpoolorder.hash())));
        return Math.min(volume, requestorder.volume - _consumedOfRequest(_digest(requestorder.hash())));
    }

    /// @inheritdoc IViews
    function assertDatasetDealCompatibility(DatasetOrder calldata datasetOrder, bytes32 dealId) external view {
        bytes32 orderHash = _digest(datasetOrder.hash());
        _checkCompatible(_consumedOf(orderHash) < datasetOrder.volume, "Dataset order is revoked or fully consumed");
        address datasetOwner = DATASET_REGISTRY.registrantOf(datasetOrder.dataset);
        _checkCompatible(_isApproved(datasetOwner, orderHash, datasetOrder.sign), "Invalid dataset order signature");

        Deal memory deal;
        _readDeal(dealId, deal);
        _checkCompatible(deal.requester != address(0), "Deal not found");
        _checkCompatible(deal.dataset.pointer == address(0), "Deal already has a dataset");
        _checkCompatible(_isAdmitted(datasetOrder.apprestrict, deal.app.pointer), "App restriction not satisfied");
        _checkCompatible(
            _isAdmitted(datasetOrder.workerpoolrestrict, deal.workerpool.pointer),
            "Workerpool restriction not satisfied"
        );
        _checkCompatible(
            _isAdmitted(datasetOrder.requesterrestrict, deal.requester),
            "Requester restriction not satisfied"
        );
        _checkCompatible(deal.tag.covers(datasetOrder.tag.withoutKind()), "Tag compatibility not satisfied");
    }

    function _checkCompatible(bool compatible, string memory reason) private pure {
        require(compatible, IDeals.IncompatibleDatasetOrder(reason));
    }

    /// @inheritdoc IViews
    function domain() external view returns (EIP712Domain memory) {
        return EIP712Domain(DOMAIN_NAME, DOMAIN_VERSION, block.chainid, address(this));
    }

    /// @inheritdoc IViews
    function eip712domain_separator() external view returns (bytes32) {
        return _domainSeparator();
    }

    /* DEALS */

    /// @inheritdoc IViews
    function viewDeal(bytes32 id) external view returns (Deal memory deal) {
        _readDeal(id, deal);
    }

    /// @inheritdoc IViews
    function viewDealABILegacy_pt1(
        bytes32 id
    ) external view returns (address, address, uint256, address, address, uint256, address, address, uint256) {
        Deal memory deal;
        _readDeal(id, deal);
        return (
            deal.app.pointer,
            deal.app.owner,
            deal.app.price,
            deal.dataset.pointer,
            deal.dataset.owner,
            deal.dataset.price,
            deal.workerpool.pointer,
            deal.workerpool.owner,
            deal.workerpool.price
        );
    }

    /// @inheritdoc IViews
    function viewDealABILegacy_pt2(
        bytes32 id
    ) external view returns (uint256, bytes32, address, address, address, string memory) {
        Deal memory deal;
        _readDeal(id, deal);
        return (deal.trust, deal.tag, deal.requester, deal.beneficiary, deal.callback, deal.params);
    }

    /// @inheritdoc IViews
    function viewConfigABILegacy(
        bytes32 id
    ) external view returns (uint256, uint256, uint256, uint256, uint256, uint256) {
        Deal memory deal;
        _readDeal(id, deal);
        return (
            deal.category,
            deal.startTime,
            deal.botFirst,
            deal.botSize,
            deal.workerStake,
            deal.schedulerRewardRatio
        );
    }

    /* TASKS */

    /// @inheritdoc IViews
    function viewTask(bytes32 id) external view returns (Task memory) {
        return _readTask(id);
    }

    /// @inheritdoc IViews
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
        )
    {
        Task memory task = _readTask(id);
        return (
            task.status,
            task.dealid,
            task.idx,
            task.timeref,
            task.contributionDeadline,
            task.revealDeadline,
            task.finalDeadline,
            task.consensusValue,
            task.revealCounter,
            task.winnerCounter,
            task.contributors,
            task.results
        );
    }

    /// @inheritdoc IViews
    function viewContribution(bytes32 taskId, address worker) external view returns (Contribution memory) {
        return _readContribution(taskId, worker);
    }

    /// @inheritdoc IViews
    function viewContributionABILegacy(
        bytes32 taskId,
        address worker
    ) external view returns (ContributionStatus, bytes32, bytes32, address) {
        Contribution memory contribution = _readContribution(taskId, worker);
        return (contribution.status, contribution.resultHash, contribution.resultSeal, contribution.enclaveChallenge);
    }

    /// @inheritdoc IViews
    function viewScore(address worker) external view returns (uint256) {
        return _accounts[worker].score;
    }

    /// @inheritdoc IViews
    function resultFor(bytes32 id) external view returns (bytes memory) {
        TaskState storage state = _tasks[id];
        require(state.status == TaskStatus.COMPLETED, ITasks.TaskPending(id, state.status));
        return _readResult(id, state).resultsCallback;
    }

    /// @inheritdoc IViews
    function viewDatasets(bytes32 taskId) external view returns (Resource[] memory) {
        return _readDatasets(_tasks[taskId].datasets);
    }

    function _readTask(bytes32 taskId) private view returns (Task memory task) {
        TaskState storage state = _tasks[taskId];
        if (state.status == TaskStatus.UNSET) return task;
        Deal memory deal;
        task.status = state.status;
        task.dealid = _dealIdOfBlob(state.deal);
        task.idx = _indexOf(taskId);
        task.timeref = _readDeal(task.dealid, deal);
        task.contributionDeadline = deal.startTime + CONTRIBUTION_DEADLINE_RATIO * task.timeref;
        task.finalDeadline = deal.startTime + FINAL_DEADLINE_RATIO * task.timeref;
        _readRound(taskId, state, task);
        if (state.status == TaskStatus.COMPLETED) _readCompletion(taskId, state, task);
    }

    /// @dev What a replicated task has until it is completed.
    function _readRound(bytes32 taskId, TaskState storage state, Task memory task) private view {
        Round storage round = _rounds[taskId];
        task.contributors = _contributorsOf(taskId);
        if (round.winners == 0) return;
        task.revealDeadline = _revealDeadlineOf(state, round);
        task.consensusValue = _hashOf(taskId, round.group);
        task.revealCounter = round.revealed;
        task.winnerCounter = round.winners;
        if (round.revealed > 0) task.resultDigest = _groups[taskId][round.group];
    }

    function _readCompletion(bytes32 taskId, TaskState storage state, Task memory task) private view {
        ResultLib.Result memory result = _readResult(taskId, state);
        task.results = result.results;
        task.resultsCallback = result.resultsCallback;
        if (task.winnerCounter > 0) return;
        task.revealDeadline = state.consensusTime + REVEAL_DEADLINE_RATIO * task.timeref;
        task.consensusValue = keccak256(abi.encodePacked(taskId, result.author.digest));
        task.revealCounter = 1;
        task.winnerCounter = 1;
        task.contributors = new address[](1);
        task.contributors[0] = result.author.worker;
        task.resultDigest = result.author.digest;
    }

    function _readResult(bytes32 taskId, TaskState storage state) private view returns (ResultLib.Result memory) {
        bytes memory blob = Blob.read(state.result);
        if (_rounds[taskId].contributors > 0) return ResultLib.decodeAgreed(blob);
        uint256 offset = state.resultOffset;
        if (offset == 0) return ResultLib.decode(blob, ResultLib.FIRST, blob.length);
        return ResultLib.decode(blob, offset, offset + state.resultLength);
    }

    /// @dev The hash of what a group of contributors found.
    function _hashOf(bytes32 taskId, uint256 group) private view returns (bytes32 hash) {
        Round storage round = _rounds[taskId];
        hash = _groups[taskId][group];
        if (round.revealed > 0 && round.group == group) return keccak256(abi.encodePacked(taskId, hash));
    }

    function _readContribution(bytes32 taskId, address worker) private view returns (Contribution memory contribution) {
        ContributionState storage replica = _contributions[taskId][worker];
        if (replica.status != ContributionStatus.UNSET) {
            contribution.status = replica.status;
            contribution.resultHash = _hashOf(taskId, replica.group);
            contribution.resultSeal = replica.seal;
            contribution.enclaveChallenge = replica.enclaveChallenge;
            contribution.weight = TrustLib.rewardWeightOf(replica.weight);
            return contribution;
        }
        // What many workers agreed on has no author: all of them have contributed above.
        TaskState storage state = _tasks[taskId];
        if (state.status != TaskStatus.COMPLETED || _rounds[taskId].contributors > 0) return contribution;
        ResultLib.Author memory author = _readResult(taskId, state).author;
        if (author.worker != worker) return contribution;
        contribution.status = ContributionStatus.PROVED;
        contribution.resultHash = keccak256(abi.encodePacked(taskId, author.digest));
        contribution.resultSeal = keccak256(abi.encodePacked(worker, taskId, author.digest));
        contribution.enclaveChallenge = author.enclaveChallenge;
    }

    /* ASSETS */

    /// @inheritdoc IViews
    function viewApp(address app) external view returns (AppInfo memory) {
        IApp entry = IApp(app);
        return
            AppInfo(
                entry.owner(),
                entry.m_appName(),
                entry.m_appType(),
                entry.m_appMultiaddr(),
                entry.m_appChecksum(),
                entry.m_appMREnclave()
            );
    }

    /// @inheritdoc IViews
    function viewDataset(address dataset) external view returns (DatasetInfo memory) {
        IDataset entry = IDataset(dataset);
        return DatasetInfo(entry.owner(), entry.m_datasetName(), entry.m_datasetMultiaddr(), entry.m_datasetChecksum());
    }

    /// @inheritdoc IViews
    function viewWorkerpool(address workerpool) external view returns (WorkerpoolInfo memory) {
        IWorkerpool entry = IWorkerpool(workerpool);
        return
            WorkerpoolInfo(
                entry.owner(),
                entry.m_workerpoolDescription(),
                entry.m_workerStakeRatioPolicy(),
                entry.m_schedulerRewardRatioPolicy()
            );
    }

    /// @inheritdoc IViews
    function appregistry() external view returns (address) {
        return address(APP_REGISTRY);
    }

    /// @inheritdoc IViews
    function datasetregistry() external view returns (address) {
        return address(DATASET_REGISTRY);
    }

    /// @inheritdoc IViews
    function workerpoolregistry() external view returns (address) {
        return address(WORKERPOOL_REGISTRY);
    }

    /* CONFIGURATION */

    /// @inheritdoc IViews
    function owner() external view returns (address) {
        return _ownership.owner;
    }

    /// @inheritdoc IViews
    function teebroker() external view returns (address) {
        return _settings.teeBroker;
    }

    /// @inheritdoc IViews
    function callbackgas() external view returns (uint256) {
        return _settings.callbackGas;
    }

    /// @inheritdoc IViews
    function countCategory() external view returns (uint256) {
        return _ownership.categoryCount;
    }

    /// @inheritdoc IViews
    function viewCategory(uint256 catid) external view returns (Category memory) {
        return _readCategory(catid);
    }

    /// @inheritdoc IViews
    function viewCategoryABILegacy(uint256 catid) external view returns (string memory, string memory, uint256) {
        Category memory category = _readCategory(catid);
        return (category.name, category.description, category.workClockTimeRef);
    }

    function _readCategory(uint256 catid) private view returns (Category memory) {
        require(catid < _ownership.categoryCount, IDeals.UnknownCategory(catid));
        return _categories[catid];
    }

    /// @inheritdoc IViews
    function contribution_deadline_ratio() external pure returns (uint256) {
        return CONTRIBUTION_DEADLINE_RATIO;
    }

    /// @inheritdoc IViews
    function reveal_deadline_ratio() external pure returns (uint256) {
        return REVEAL_DEADLINE_RATIO;
    }

    /// @inheritdoc IViews
    function final_deadline_ratio() external pure returns (uint256) {
        return FINAL_DEADLINE_RATIO;
    }

    /// @inheritdoc IViews
    function workerpool_stake_ratio() external pure returns (uint256) {
        return WORKERPOOL_STAKE_RATIO;
    }

    /// @inheritdoc IViews
    function kitty_ratio() external pure returns (uint256) {
        return KITTY_RATIO;
    }

    /// @inheritdoc IViews
    function kitty_min() external pure returns (uint256) {
        return KITTY_MIN;
    }

    /// @inheritdoc IViews
    function kitty_address() external pure returns (address) {
        return KITTY_ADDRESS;
    }

    /// @inheritdoc IViews
    function groupmember_purpose() external pure returns (uint256) {
        return GROUPMEMBER_PURPOSE;
    }

    /* REFUSALS */

    /// @inheritdoc IViews
    function updateDomainSeparator() external pure {}

    /// @inheritdoc IViews
    function configure(
        address,
        string calldata,
        string calldata,
        uint8,
        address,
        address,
        address,
        address
    ) external pure {
        revert IAdmin.Immutable(msg.sig);
    }

    /// @inheritdoc IViews
    function changeRegistries(address, address, address) external pure {
        revert IAdmin.Immutable(msg.sig);
    }

    /// @inheritdoc IViews
    function renounceOwnership() external pure {
        revert IAdmin.Immutable(msg.sig);
    }

    /// @inheritdoc IViews
    function importScore(address worker) external pure {
        revert IAdmin.NoPreviousHub(worker);
    }
}
