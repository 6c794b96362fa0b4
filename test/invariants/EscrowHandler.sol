// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Hub} from "../../contracts/Hub.sol";
import {HubOffice} from "../../contracts/HubOffice.sol";
import {HubViews} from "../../contracts/HubViews.sol";
import {IAdmin} from "../../contracts/interfaces/IAdmin.sol";
import {IHub} from "../../contracts/interfaces/IHub.sol";
import {AppRegistry} from "../../contracts/registries/AppRegistry.sol";
import {DatasetRegistry} from "../../contracts/registries/DatasetRegistry.sol";
import {WorkerpoolRegistry} from "../../contracts/registries/WorkerpoolRegistry.sol";
import {LocalToken} from "../../contracts/token/LocalToken.sol";
import {Category, TaskStatus} from "../../contracts/types/Deals.sol";
import {
    AppOrder,
    AppOrderOperation,
    DatasetOrder,
    RequestOrder,
    RequestOrderOperation,
    WorkerpoolOrder,
    WorkerpoolOrderOperation
} from "../../contracts/types/Orders.sol";
import {vm} from "./Vm.sol";

/// @title EscrowHandler
/// @notice Random actors do everything that moves money. Inputs are brought into range, so that most calls succeed.
contract EscrowHandler {
    uint256 private constant ACTORS = 4;
    uint256 private constant FORTUNE = 1_000_000e9;
    uint256 private constant MAX_PRICE = 100e9;
    uint256 private constant MAX_VOLUME = 3;
    uint256 private constant CATEGORY_TIME = 300;

    IHub public immutable hub;
    LocalToken public immutable token;
    address public immutable app;
    address public immutable workerpool;

    uint256 public matches;
    uint256 public completions;
    uint256 public claims;

    bytes32[] private _dealIds;
    mapping(bytes32 taskId => TaskStatus) private _ended;
    bytes32[] private _endedTasks;
    uint256 private _salt;

    constructor() {
        token = new LocalToken(address(this), FORTUNE * ACTORS);
        AppRegistry apps = new AppRegistry(address(this));
        WorkerpoolRegistry workerpools = new WorkerpoolRegistry(address(this));
        address datasets = address(new DatasetRegistry(address(this)));
        Category[] memory categories = new Category[](1);
        categories[0] = Category("XS", "", CATEGORY_TIME);
        IAdmin.Config memory config = IAdmin.Config(
            address(token),
            address(apps),
            datasets,
            address(workerpools),
            address(this),
            address(0)
        );
        address office = address(new HubOffice(config, address(new HubViews(config))));
        hub = IHub(payable(address(new Hub(config, categories, office))));
        app = apps.createApp(actor(0), "app", "BUNDLE", "", 0, "");
        workerpool = workerpools.createWorkerpool(actor(1), "pool");
        for (uint256 i = 0; i < ACTORS; ++i) {
            token.transfer(actor(i), FORTUNE);
            vm.prank(actor(i));
            token.approve(address(hub), type(uint256).max);
            // So that the first calls of a run are not all in vain.
            vm.prank(actor(i));
            hub.deposit(FORTUNE / 2);
        }
    }

    /* ACTIONS */

    function deposit(uint256 who, uint256 target, uint256 amount) external {
        address from = actor(who);
        amount = _upTo(amount, token.balanceOf(from));
        vm.prank(from);
        hub.depositFor(amount, actor(target));
    }

    function withdraw(uint256 who, uint256 target, uint256 amount) external {
        address from = actor(who);
        amount = _upTo(amount, hub.balanceOf(from));
        vm.prank(from);
        hub.withdrawTo(amount, actor(target));
    }

    function transfer(uint256 who, uint256 target, uint256 amount) external {
        address from = actor(who);
        amount = _upTo(amount, hub.balanceOf(from));
        vm.prank(from);
        hub.transfer(actor(target), amount);
    }

    function sendByMistake(uint256 who, uint256 amount) external {
        address from = actor(who);
        amount = _upTo(amount, token.balanceOf(from) / 100);
        vm.prank(from);
        token.transfer(address(hub), amount);
    }

    function recover() external {
        hub.recover();
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + _upTo(time, CATEGORY_TIME));
    }

    function openDeal(uint256 who, uint256 appPrice, uint256 workerpoolPrice, uint256 volume) external {
        appPrice = _upTo(appPrice, MAX_PRICE);
        workerpoolPrice = _upTo(workerpoolPrice, MAX_PRICE);
        volume = 1 + _upTo(volume, MAX_VOLUME - 1);
        address requester = actor(who);
        if (hub.balanceOf(requester) < (appPrice + workerpoolPrice) * volume) return;
        // The owner of the pool may be the requester as well.
        if (hub.balanceOf(actor(1)) < (appPrice + 2 * workerpoolPrice) * volume) return;

        AppOrder memory appOrder;
        appOrder.app = app;
        appOrder.appprice = appPrice;
        appOrder.volume = volume;
        appOrder.salt = bytes32(++_salt);
        WorkerpoolOrder memory workerpoolOrder;
        workerpoolOrder.workerpool = workerpool;
        workerpoolOrder.workerpoolprice = workerpoolPrice;
        workerpoolOrder.volume = volume;
        workerpoolOrder.salt = bytes32(_salt);
        RequestOrder memory request;
        request.app = app;
        request.appmaxprice = appPrice;
        request.workerpoolmaxprice = workerpoolPrice;
        request.requester = requester;
        request.volume = volume;
        request.salt = bytes32(_salt);

        vm.prank(actor(0));
        hub.manageAppOrder(AppOrderOperation(appOrder, 0, ""));
        vm.prank(actor(1));
        hub.manageWorkerpoolOrder(WorkerpoolOrderOperation(workerpoolOrder, 0, ""));
        vm.prank(requester);
        hub.manageRequestOrder(RequestOrderOperation(request, 0, ""));
        DatasetOrder memory noDataset;
        _dealIds.push(hub.matchOrders(appOrder, noDataset, workerpoolOrder, request));
        ++matches;
    }

    function complete(uint256 dealSeed, uint256 index, uint256 who) external {
        (bytes32 taskId, bool isActive) = _task(dealSeed, index);
        if (!isActive || block.timestamp >= hub.viewTask(taskId).contributionDeadline) return;
        address worker = actor(who);
        bytes32 authorization = keccak256(abi.encodePacked(worker, taskId, address(0)));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_key(1), MessageHashUtils.toEthSignedMessageHash(authorization));
        vm.prank(worker);
        hub.contributeAndFinalize(taskId, keccak256("result"), "", "", address(0), "", abi.encodePacked(r, s, v));
        _end(taskId, TaskStatus.COMPLETED);
        ++completions;
    }

    function claim(uint256 dealSeed, uint256 index) external {
        (bytes32 taskId, bool isActive) = _task(dealSeed, index);
        if (!isActive) return;
        uint256 deadline = hub.viewTask(taskId).finalDeadline;
        if (block.timestamp < deadline) vm.warp(deadline);
        hub.claim(taskId);
        _end(taskId, TaskStatus.FAILED);
        ++claims;
    }

    /* WHAT THE INVARIANTS ASK */

    function actor(uint256 index) public pure returns (address) {
        return vm.addr(_key(index));
    }

    function sumOfBalances() external view returns (uint256 sum) {
        sum = hub.balanceOf(address(hub)) + hub.balanceOf(address(this));
        for (uint256 i = 0; i < ACTORS; ++i) {
            sum += hub.balanceOf(actor(i));
        }
    }

    function sumOfFrozen() external view returns (uint256 sum) {
        sum = hub.frozenOf(hub.kitty_address());
        for (uint256 i = 0; i < ACTORS; ++i) {
            sum += hub.frozenOf(actor(i));
        }
    }

    /// @notice The number of tasks that left the status in which they had ended.
    function revived() external view returns (uint256 count) {
        for (uint256 i = 0; i < _endedTasks.length; ++i) {
            if (hub.viewTask(_endedTasks[i]).status != _ended[_endedTasks[i]]) ++count;
        }
    }

    function _task(uint256 dealSeed, uint256 index) private returns (bytes32 taskId, bool isActive) {
        if (_dealIds.length == 0) return (0, false);
        bytes32 dealId = _dealIds[dealSeed % _dealIds.length];
        index %= hub.viewDeal(dealId).botSize;
        taskId = keccak256(abi.encodePacked(dealId, index));
        TaskStatus status = hub.viewTask(taskId).status;
        if (status == TaskStatus.UNSET) hub.initialize(dealId, index);
        isActive = status == TaskStatus.UNSET || status == TaskStatus.ACTIVE;
    }

    function _end(bytes32 taskId, TaskStatus status) private {
        _ended[taskId] = status;
        _endedTasks.push(taskId);
    }

    function _key(uint256 index) private pure returns (uint256) {
        return 1 + (index % ACTORS);
    }

    function _upTo(uint256 value, uint256 limit) private pure returns (uint256) {
        return value % (limit + 1);
    }
}
