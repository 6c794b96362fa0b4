// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IAppRegistry} from "../../contracts/interfaces/IAppRegistry.sol";
import {IDatasetRegistry} from "../../contracts/interfaces/IDatasetRegistry.sol";
import {IRegistry} from "../../contracts/interfaces/IRegistry.sol";
import {IWorkerpool} from "../../contracts/interfaces/IWorkerpool.sol";
import {IWorkerpoolRegistry} from "../../contracts/interfaces/IWorkerpoolRegistry.sol";
import {OrderKind} from "../../contracts/types/Orders.sol";
import {OrdersChapter} from "./OrdersChapter.sol";
import {vm} from "./Vm.sol";

/// @title AssetsChapter
/// @notice Apps, datasets and workerpools change hands, and workerpools change their policies.
abstract contract AssetsChapter is OrdersChapter {
    uint256 private constant ASSETS = 4;

    function passApp(uint256 seed) external action(seed) {
        _pass(OrderKind.APP, _apps[_draw(ASSETS)], _someone());
    }

    function passDataset(uint256 seed) external action(seed) {
        _pass(OrderKind.DATASET, _datasets[_draw(ASSETS)], _someone());
    }

    function passWorkerpool(uint256 seed) external action(seed) {
        _pass(OrderKind.WORKERPOOL, _workerpools[_draw(ASSETS)], _someone());
    }

    /// @dev At times to a stake that is wider than its place, or that no price can be multiplied with.
    function changePolicy(uint256 seed) external action(seed) {
        IWorkerpool workerpool = IWorkerpool(_workerpools[_draw(ASSETS)]);
        uint256 stakeRatio = _chance(10) ? type(uint256).max >> _draw(256) : _draw(150);
        vm.prank(workerpool.owner());
        workerpool.changePolicy(stakeRatio, _draw(101));
    }

    function _pass(OrderKind kind, address entry, address to) internal override {
        address owner = _ownerOf(kind, entry);
        vm.prank(owner);
        _registries[uint256(kind)].transferFrom(owner, to, uint256(uint160(entry)));
    }

    function _createAssets(IAppRegistry apps, IDatasetRegistry datasets, IWorkerpoolRegistry workerpools) internal {
        _registries = [IRegistry(apps), datasets, workerpools];
        for (uint256 i = 0; i < ASSETS; ++i) {
            address owner = _actors[i == 3 ? BUSYBODY : i];
            string memory name = string(abi.encodePacked("asset ", bytes1(uint8(65 + i))));
            _apps.push(apps.createApp(owner, name, "BUNDLE", "", 0, ""));
            _datasets.push(datasets.createDataset(owner, name, "", 0));
            _workerpools.push(workerpools.createWorkerpool(owner, name));
        }
    }
}
