// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAdmin} from "../interfaces/IAdmin.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {IWorkerpoolRegistry} from "../interfaces/IWorkerpoolRegistry.sol";
import {Blob} from "../libraries/Blob.sol";
import {DealLib} from "../libraries/DealLib.sol";
import {Category, Deal, TaskStatus} from "../types/Deals.sol";

/// @title HubStorage: every variable and constant of the protocol
/// @notice Hub and HubViews share this layout. A number that may be wider than its place has a way around it: the wide
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

    struct Balance {
        uint128 free;
        uint128 frozen;
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

    /// @dev `deal` and `result` are blobs; `consensusTime` is when the result was agreed on.
    struct TaskState {
        TaskStatus status;
        uint40 deal;
        uint32 index;
        uint40 result;
        uint40 consensusTime;
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

    string internal constant DOMAIN_NAME = "iExecODB";
    string internal constant DOMAIN_VERSION = "5.0.0";
    bytes32 private constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    /// @dev The nonce of a contract starts at 1, which the Hub spends on HubViews.
    uint40 internal constant FIRST_BLOB = 2;

    // What stands in a narrow place whose value is in `_wide`.
    uint96 private constant WIDE_ORDER = type(uint96).max;
    uint32 private constant WIDE_REQUEST = type(uint32).max;
    uint32 private constant WIDE_INDEX = type(uint32).max;

    /* IMMUTABLES */

    IERC20 internal immutable TOKEN;
    IRegistry internal immutable APP_REGISTRY;
    IRegistry internal immutable DATASET_REGISTRY;
    IWorkerpoolRegistry internal immutable WORKERPOOL_REGISTRY;
    uint256 private immutable CHAIN_ID;
    bytes32 private immutable DOMAIN_SEPARATOR;

    /* STATE */

    Vault internal _vault;
    Settings internal _settings;
    Ownership internal _ownership;
    uint256 internal _supply;
    mapping(address account => Balance) internal _balances;
    mapping(address account => mapping(address spender => uint256)) internal _allowances;
    mapping(bytes32 orderHash => OrderState) internal _orders;
    mapping(bytes32 dealId => DealState) internal _deals;
    mapping(bytes32 taskId => TaskState) internal _tasks;
    mapping(bytes32 id => uint256) internal _wide;
    mapping(uint256 catid => Category) internal _categories;
    mapping(address worker => uint256) internal _scores;

    constructor(IAdmin.Config memory config, address hub) {
        TOKEN = IERC20(_deployed(config.token));
        APP_REGISTRY = IRegistry(_deployed(config.appRegistry));
        DATASET_REGISTRY = IRegistry(_deployed(config.datasetRegistry));
        WORKERPOOL_REGISTRY = IWorkerpoolRegistry(_deployed(config.workerpoolRegistry));
        CHAIN_ID = block.chainid;
        DOMAIN_SEPARATOR = _domainSeparatorOf(hub);
    }

    function _checkOwner() internal view {
        address owner = _ownership.owner;
        require(msg.sender == owner, IAdmin.NotOwner(msg.sender, owner));
    }

    /// @dev A chain that forks off under a new id has a domain of its own.
    function _domainSeparator() internal view returns (bytes32) {
        return block.chainid == CHAIN_ID ? DOMAIN_SEPARATOR : _domainSeparatorOf(address(this));
    }

    /* BLOBS */

    /// @dev The only way in which the Hub creates contracts, so that `nonce` stays that of the chain.
    function _writeBlob(Vault memory vault, bytes memory data) internal returns (uint40 nonce) {
        nonce = vault.nonce++;
        Blob.write(data, nonce);
    }

    /* CONSUMED VOLUMES */

    function _consumedOf(bytes32 orderHash) internal view returns (uint256) {
        uint96 consumed = _orders[orderHash].consumed;
        return consumed == WIDE_ORDER ? _wide[orderHash] : consumed;
    }

    function _setConsumedOf(bytes32 orderHash, uint256 consumed) internal {
        if (consumed >= WIDE_ORDER) {
            _wide[orderHash] = consumed;
            consumed = WIDE_ORDER;
        }
        _orders[orderHash].consumed = uint96(consumed);
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
        return keccak256(abi.encodePacked(requestHash, consumed));
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
        DealState storage state = _deals[dealId];
        state.blob = blob;
        state.consumed = consumedHere;
        state.startTime = uint40(block.timestamp);
        // What is cut off here in a wide deal is never read.
        state.botFirst = uint32(terms.botFirst);
        state.botSize = uint24(terms.botSize);
        state.timeref = uint32(terms.timeref);
        state.category = uint8(terms.category);
        state.trust = uint16(terms.trust);
        state.schedulerRewardRatio = uint8(terms.schedulerRewardRatio);
        state.workerStakeRatio = uint16(terms.workerStakeRatio);
        state.wide = wide;
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
        deal.workerStake = (deal.workerpool.price * state.workerStakeRatio) / 100;
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
        deal.workerStake = (deal.workerpool.price * terms.workerStakeRatio) / 100;
        return terms.timeref;
    }

    /// @dev What the owner of the workerpool stakes on each task.
    function _stakeOf(Deal memory deal) internal pure returns (uint256) {
        return (deal.workerpool.price * WORKERPOOL_STAKE_RATIO) / 100;
    }

    function _isWide(DealLib.Terms memory terms) private pure returns (bool) {
        return
            terms.botFirst > type(uint32).max ||
            terms.botSize > type(uint24).max ||
            terms.timeref > type(uint32).max ||
            terms.category > type(uint8).max ||
            terms.trust > type(uint16).max ||
            terms.schedulerRewardRatio > type(uint8).max ||
            terms.workerStakeRatio > type(uint16).max;
    }

    /* TASKS */

    function _taskIdOf(bytes32 dealId, uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(dealId, index));
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

    function _dealIdOfTask(TaskState storage task) internal view returns (bytes32) {
        return Blob.wordAt(task.deal, DealLib.ID_OFFSET);
    }

    function _deployed(address target) private view returns (address) {
        require(target.code.length > 0, IAdmin.InvalidAddress(target));
        return target;
    }

    function _domainSeparatorOf(address hub) private view returns (bytes32) {
        bytes32 name = keccak256(bytes(DOMAIN_NAME));
        bytes32 version = keccak256(bytes(DOMAIN_VERSION));
        return keccak256(abi.encode(DOMAIN_TYPEHASH, name, version, block.chainid, hub));
    }
}
