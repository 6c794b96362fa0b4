// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdmin} from "../interfaces/IAdmin.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {IWorkerpoolRegistry} from "../interfaces/IWorkerpoolRegistry.sol";
import {Blob} from "../libraries/Blob.sol";
import {BulkLib} from "../libraries/BulkLib.sol";
import {DealLib} from "../libraries/DealLib.sol";
import {ShareLib} from "../libraries/ShareLib.sol";
import {Category, ContributionStatus, Deal, Resource, TaskStatus} from "../types/Deals.sol";

/// @title HubStorage: every variable and constant of the protocol
/// @notice Hub, HubOffice and HubViews share this layout. A number that may be wider than its place has a way around it: the wide
/// consumed volumes and task indexes go to `_wide`, the wide terms of a deal to its blob.
abstract contract HubStorage {
    /// @dev All that the Hub itself has, in one slot: its balance (what is locked, and the kitty), the kitty, the nonce of
    /// its next blob, whether there is a TEE broker. The staked supply fits 96 bits, so every amount does.
    struct Vault {
        uint96 held;
        uint96 kitty;
        uint40 nonce;
        bool hasTeeBroker;
    }

    struct Settings {
        address teeBroker;
        uint96 callbackGas;
    }

    struct Ownership {
        address owner;
        uint96 categoryCount;
    }

    /// @dev What an account owns, has locked, and how often it was right as a worker.
    struct AccountState {
        uint96 free;
        uint96 frozen;
        uint64 score;
    }

    /// @dev Of an order for an app, dataset or workerpool, by digest; of a request, the signer only.
    struct OrderState {
        address signer;
        uint96 consumed;
    }

    /// @dev `consumed` is that of the request and lives in the slot of its first deal, which may not be made yet: a deal
    /// exists when `blob` is set. The terms mean nothing in a deal that is `wide`.
    struct DealState {
        uint40 blob;
        uint32 consumed;
        uint40 startTime;
        uint32 botFirst;
        uint24 botSize;
        uint32 timeref;
        uint8 category;
        uint16 trust;
        uint8 schedulerRewardRatio;
        uint16 workerStakeRatio;
        bool wide;
    }

    /// @dev `deal`, `result` and `datasets` are blobs; the result is part of its blob, or all of it where `resultLength` is
    /// zero. `consensusTime` is when the result was agreed on. Before the task is new, `datasets` may be set already.
    struct TaskState {
        TaskStatus status;
        uint40 deal;
        uint32 index;
        uint40 result;
        uint16 resultOffset;
        uint16 resultLength;
        uint40 consensusTime;
        uint40 datasets;
        bool reopened;
    }

    /// @dev Of a replicated task: its latest contributor, how many there are and how many results they found; then, of
    /// the result that was agreed on: which it is, how many found it, how many of them revealed it, until when they may.
    struct Round {
        address last;
        uint8 contributors;
        uint8 groups;
        uint8 group;
        uint8 winners;
        uint8 revealed;
        uint40 revealDeadline;
    }

    /// @dev Contributions are a list, latest first. Those who found the same result are a `group`.
    struct ContributionState {
        address previous;
        uint64 weight;
        uint8 group;
        ContributionStatus status;
        bytes32 seal;
        address enclaveChallenge;
    }

    /* CONSTANTS */

    uint256 internal constant CONTRIBUTION_DEADLINE_RATIO = 7;
    uint256 internal constant REVEAL_DEADLINE_RATIO = 2;
    uint256 internal constant FINAL_DEADLINE_RATIO = 10;
    uint256 internal constant WORKERPOOL_STAKE_RATIO = 30;
    uint256 internal constant KITTY_RATIO = 10;
    uint256 internal constant KITTY_MIN = 1e9;
    address internal constant KITTY_ADDRESS = address(uint160(bytes20(keccak256("iExecKitty"))) - 1);
    uint256 internal constant GROUPMEMBER_PURPOSE = 4;
    uint256 internal constant DEFAULT_CALLBACK_GAS = 200_000;
    uint256 internal constant MAX_SUPPLY = type(uint96).max;
    /// @dev So that whoever ends a replicated task can pay for doing so.
    uint256 internal constant MAX_CONTRIBUTORS = 64;

    string internal constant DOMAIN_NAME = "iExecODB";
    string internal constant DOMAIN_VERSION = "5.0.0";
    bytes32 private constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    /// @dev The nonce of a contract starts at 1 (EIP-161).
    uint40 internal constant FIRST_BLOB = 1;

    // What stands in a narrow place whose value is in `_wide`.
    uint96 private constant WIDE_ORDER = type(uint96).max;
    uint32 private constant WIDE_REQUEST = type(uint32).max;
    uint32 private constant WIDE_INDEX = type(uint32).max;
    uint40 private constant WIDE_DEADLINE = type(uint40).max;

    /* IMMUTABLES */

    IERC20 internal immutable TOKEN;
    IRegistry internal immutable APP_REGISTRY;
    IRegistry internal immutable DATASET_REGISTRY;
    IWorkerpoolRegistry internal immutable WORKERPOOL_REGISTRY;
    address private immutable SELF;
    uint256 private immutable CHAIN_ID;
    bytes32 private immutable DOMAIN_SEPARATOR;

    /* STATE */

    Vault internal _vault;
    Settings internal _settings;
    Ownership internal _ownership;
    uint256 internal _supply;
    mapping(address account => AccountState) internal _accounts;
    mapping(address account => mapping(address spender => uint256)) internal _allowances;
    mapping(bytes32 orderHash => OrderState) internal _orders;
    mapping(bytes32 dealId => DealState) internal _deals;
    mapping(bytes32 taskId => TaskState) internal _tasks;
    mapping(bytes32 taskId => Round) internal _rounds;
    mapping(bytes32 taskId => mapping(address worker => ContributionState)) internal _contributions;
    /// @dev Its hash; that of the result agreed on turns into the digest when the digest is first revealed.
    mapping(bytes32 taskId => mapping(uint256 group => bytes32)) internal _groups;
    mapping(bytes32 id => uint256) internal _wide;
    mapping(uint256 catid => Category) internal _categories;
    /// @dev Who makes the calls that the Hub makes to itself.
    address internal transient _actor;

    constructor(IAdmin.Config memory config) {
        TOKEN = IERC20(config.token);
        APP_REGISTRY = IRegistry(_deployed(config.appRegistry));
        DATASET_REGISTRY = IRegistry(_deployed(config.datasetRegistry));
        WORKERPOOL_REGISTRY = IWorkerpoolRegistry(_deployed(config.workerpoolRegistry));
        SELF = address(this);
        CHAIN_ID = block.chainid;
        DOMAIN_SEPARATOR = _domainSeparatorOf(address(this));
    }

    /// @dev Who is calling: of a call inside a multicall, who called that.
    function _sender() internal view returns (address) {
        return msg.sender == address(this) ? _actor : msg.sender;
    }

    function _checkOwner() internal view {
        (address caller, address owner) = (_sender(), _ownership.owner);
        require(caller == owner, IAdmin.NotOwner(caller, owner));
    }

    /// @dev The domain is that of the Hub, also where it lends its state to another contract's code; a chain that forks
    /// off under a new id has a domain of its own.
    function _domainSeparator() internal view returns (bytes32) {
        bool known = address(this) == SELF && block.chainid == CHAIN_ID;
        return known ? DOMAIN_SEPARATOR : _domainSeparatorOf(address(this));
    }

    /* SLOTS */

    // The members of a slot are written together, first the lowest bits: the compiler would write them one by one.

    function _store(AccountState storage state, uint256 free, uint256 frozen, uint256 score) internal {
        uint256 slot = free | (frozen << 96) | (score << 192);
        assembly ("memory-safe") {
            sstore(state.slot, slot)
        }
    }

    function _store(Vault memory vault) internal {
        uint256 slot = uint256(vault.held) | (uint256(vault.kitty) << 96) | (uint256(vault.nonce) << 192);
        if (vault.hasTeeBroker) slot |= 1 << 232;
        assembly ("memory-safe") {
            sstore(_vault.slot, slot)
        }
    }

    function _store(OrderState storage state, address signer, uint256 consumed) internal {
        uint256 slot = uint256(uint160(signer)) | (consumed << 160);
        assembly ("memory-safe") {
            sstore(state.slot, slot)
        }
    }

    /// @dev Of a task past being active: whether it was reopened is forgotten, nobody asks any more.
    function _store(TaskState storage state, TaskState memory task) internal {
        uint256 slot = uint256(task.status) | (uint256(task.deal) << 8) | (uint256(task.index) << 48);
        slot |= (uint256(task.result) << 80) | (uint256(task.resultOffset) << 120);
        slot |= (uint256(task.resultLength) << 136) | (uint256(task.consensusTime) << 152);
        slot |= uint256(task.datasets) << 192;
        assembly ("memory-safe") {
            sstore(state.slot, slot)
        }
    }

    /// @dev Of a new task, which may have datasets attached.
    function _storeActive(TaskState storage state, uint40 deal, uint32 index) internal {
        uint256 slot = uint256(TaskStatus.ACTIVE) | (uint256(deal) << 8) | (uint256(index) << 48);
        slot |= uint256(state.datasets) << 192;
        assembly ("memory-safe") {
            sstore(state.slot, slot)
        }
    }

    function _store(Round storage state, Round memory round) internal {
        uint256 slot = uint256(uint160(round.last)) | (uint256(round.contributors) << 160);
        slot |= (uint256(round.groups) << 168) | (uint256(round.group) << 176);
        slot |= (uint256(round.winners) << 184) | (uint256(round.revealed) << 192);
        slot |= uint256(round.revealDeadline) << 200;
        assembly ("memory-safe") {
            sstore(state.slot, slot)
        }
    }

    /// @dev The slot that a contribution begins with.
    function _store(ContributionState storage state, address previous, uint256 weight, uint256 group) internal {
        uint256 slot = uint256(uint160(previous)) | (weight << 160) | (group << 224);
        slot |= uint256(ContributionStatus.CONTRIBUTED) << 232;
        assembly ("memory-safe") {
            sstore(state.slot, slot)
        }
    }

    /* BLOBS */

    /// @dev The only way in which the Hub creates contracts, so that `nonce` stays that of the chain.
    function _writeBlob(Vault memory vault, bytes memory data) internal returns (uint40 nonce) {
        nonce = vault.nonce++;
        Blob.write(data);
    }

    /* CONSUMED VOLUMES */

    function _consumedOf(bytes32 orderHash) internal view returns (uint256 consumed) {
        (, consumed) = _stateOf(orderHash);
    }

    function _stateOf(bytes32 orderHash) internal view returns (address signer, uint256 consumed) {
        OrderState storage state = _orders[orderHash];
        (signer, consumed) = (state.signer, state.consumed);
        if (consumed == WIDE_ORDER) consumed = _wide[orderHash];
    }

    function _setConsumedOf(bytes32 orderHash, uint256 consumed) internal {
        _setConsumedOf(orderHash, _orders[orderHash].signer, consumed);
    }

    /// @dev Where the signer is known.
    function _setConsumedOf(bytes32 orderHash, address signer, uint256 consumed) internal {
        if (consumed >= WIDE_ORDER) {
            _wide[orderHash] = consumed;
            consumed = WIDE_ORDER;
        }
        _store(_orders[orderHash], signer, consumed);
    }

    function _consumedOfRequest(bytes32 requestHash) internal view returns (uint256) {
        uint32 consumed = _deals[_dealIdOf(requestHash, 0)].consumed;
        return consumed == WIDE_REQUEST ? _wide[requestHash] : consumed;
    }

    function _setConsumedOfRequest(bytes32 requestHash, uint256 consumed) internal {
        _deals[_dealIdOf(requestHash, 0)].consumed = _narrowConsumed(requestHash, consumed);
    }

    function _narrowConsumed(bytes32 requestHash, uint256 consumed) private returns (uint32) {
        if (consumed < WIDE_REQUEST) return uint32(consumed);
        _wide[requestHash] = consumed;
        return WIDE_REQUEST;
    }

    /* DEALS */

    function _dealIdOf(bytes32 requestHash, uint256 consumed) internal pure returns (bytes32) {
        return Hashes.efficientKeccak256(requestHash, bytes32(consumed));
    }

    function _writeDeal(
        Vault memory vault,
        bytes32 requestHash,
        bytes32 dealId,
        Deal memory deal,
        DealLib.Terms memory terms
    ) internal {
        bool wide = _isWide(terms);
        uint40 blob = _writeBlob(vault, DealLib.encode(deal, dealId, terms, wide));
        uint256 consumed = terms.botFirst + terms.botSize;
        // The first deal of a request keeps its consumed volume, so both are written at once.
        uint32 consumedHere;
        if (terms.botFirst == 0) consumedHere = _narrowConsumed(requestHash, consumed);
        else _setConsumedOfRequest(requestHash, consumed);
        _storeDeal(_deals[dealId], blob, consumedHere, terms, wide);
    }

    /// @dev What is cut off here in a wide deal is never read.
    function _storeDeal(
        DealState storage state,
        uint40 blob,
        uint32 consumed,
        DealLib.Terms memory terms,
        bool wide
    ) private {
        uint256 slot = uint256(blob) | (uint256(consumed) << 40) | (uint256(uint40(block.timestamp)) << 72);
        slot |= (uint256(uint32(terms.botFirst)) << 112) | (uint256(uint24(terms.botSize)) << 144);
        slot |= (uint256(uint32(terms.timeref)) << 168) | (uint256(uint8(terms.category)) << 200);
        slot |= (uint256(uint16(terms.trust)) << 208) | (uint256(uint8(terms.schedulerRewardRatio)) << 224);
        slot |= uint256(uint16(terms.workerStakeRatio)) << 232;
        if (wide) slot |= 1 << 248;
        assembly ("memory-safe") {
            sstore(state.slot, slot)
        }
    }

    /// @dev Fills in a fresh `deal` and tells the unit of its deadlines; leaves all zero when there is none.
    function _readDeal(bytes32 dealId, Deal memory deal) internal view returns (uint256 timeref) {
        DealState storage state = _deals[dealId];
        uint40 blob = state.blob;
        if (blob == 0) return 0;
        uint256 terms = DealLib.decode(Blob.read(blob), deal);
        deal.startTime = state.startTime;
        if (terms != 0) return _readWideTerms(terms, deal);
        deal.botFirst = state.botFirst;
        deal.botSize = state.botSize;
        deal.category = state.category;
        deal.trust = state.trust;
        deal.schedulerRewardRatio = state.schedulerRewardRatio;
        deal.workerStake = ShareLib.percentOf(deal.workerpool.price, state.workerStakeRatio);
        return state.timeref;
    }

    /// @dev `pointer` is where the deal's blob has its terms.
    function _readWideTerms(uint256 pointer, Deal memory deal) private pure returns (uint256 timeref) {
        DealLib.Terms memory terms = DealLib.termsAt(pointer);
        deal.botFirst = terms.botFirst;
        deal.botSize = terms.botSize;
        deal.category = terms.category;
        deal.trust = terms.trust;
        deal.schedulerRewardRatio = terms.schedulerRewardRatio;
        deal.workerStake = ShareLib.percentOf(deal.workerpool.price, terms.workerStakeRatio);
        return terms.timeref;
    }

    /// @dev What the owner of the workerpool stakes on each task.
    function _stakeOf(Deal memory deal) internal pure returns (uint256) {
        return ShareLib.percentOf(deal.workerpool.price, WORKERPOOL_STAKE_RATIO);
    }

    function _isWide(DealLib.Terms memory terms) private pure returns (bool) {
        uint256 excess = (terms.botFirst >> 32) | (terms.botSize >> 24) | (terms.timeref >> 32);
        excess |= (terms.category >> 8) | (terms.trust >> 16) | (terms.schedulerRewardRatio >> 8);
        return excess | (terms.workerStakeRatio >> 16) != 0;
    }

    /* TASKS */

    function _taskIdOf(bytes32 dealId, uint256 index) internal pure returns (bytes32) {
        return Hashes.efficientKeccak256(dealId, bytes32(index));
    }

    function _narrowIndex(bytes32 taskId, uint256 index) internal returns (uint32) {
        if (index < WIDE_INDEX) return uint32(index);
        _wide[taskId] = index;
        return WIDE_INDEX;
    }

    function _indexOf(bytes32 taskId) internal view returns (uint256) {
        uint32 index = _tasks[taskId].index;
        return index == WIDE_INDEX ? _wide[taskId] : index;
    }

    function _dealIdOfBlob(uint40 deal) internal view returns (bytes32) {
        return Blob.wordAt(deal, DealLib.ID_OFFSET);
    }

    /// @dev What was attached to the task beside its deal, as the blob `datasets`; nothing if that is zero.
    function _readDatasets(uint40 datasets) internal view returns (Resource[] memory attached) {
        if (datasets != 0) attached = BulkLib.decode(Blob.read(datasets));
    }

    /* ROUNDS */

    /// @dev Who contributed, in their order.
    function _contributorsOf(bytes32 taskId) internal view returns (address[] memory contributors) {
        Round storage round = _rounds[taskId];
        uint256 count = round.contributors;
        contributors = new address[](count);
        address worker = round.last;
        while (count > 0) {
            contributors[--count] = worker;
            worker = _contributions[taskId][worker].previous;
        }
    }

    /// @dev Until when a result that is agreed on now may be revealed, as a round keeps it.
    function _narrowDeadline(uint256 timeref) internal view returns (uint40) {
        return uint40(Math.min(block.timestamp + REVEAL_DEADLINE_RATIO * timeref, WIDE_DEADLINE));
    }

    /// @dev Means something only where a result is agreed on.
    function _revealDeadlineOf(TaskState storage task, Round storage round) internal view returns (uint256 deadline) {
        deadline = round.revealDeadline;
        if (deadline != WIDE_DEADLINE) return deadline;
        Deal memory deal;
        return task.consensusTime + REVEAL_DEADLINE_RATIO * _readDeal(_dealIdOfBlob(task.deal), deal);
    }

    function _deployed(address target) internal view returns (address) {
        require(target.code.length > 0, IAdmin.InvalidAddress(target));
        return target;
    }

    /// @dev As keccak256(abi.encode(...)), without setting memory aside.
    function _domainSeparatorOf(address hub) private view returns (bytes32 separator) {
        (bytes32 name, bytes32 version) = (keccak256(bytes(DOMAIN_NAME)), keccak256(bytes(DOMAIN_VERSION)));
        bytes32 typeHash = DOMAIN_TYPEHASH;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, typeHash)
            mstore(add(start, 32), name)
            mstore(add(start, 64), version)
            mstore(add(start, 96), chainid())
            mstore(add(start, 128), hub)
            separator := keccak256(start, 160)
        }
    }
}
